import ArgumentParser
import ImportLedger
import Services
import VerdaccioSettings

/// How Verdaccio is restarted and asked after an import.
struct ServiceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How Verdaccio is restarted: none, systemd[:UNIT], docker:CONTAINER, command:WORDS.",
            discussion: "What an import brings is served without; only the web page's own list is read at its start.", valueName: "how"))
    var restart: String?

    @Option(help: ArgumentHelp("The address the registry is asked at afterwards: http://….", valueName: "url")) var registry: String?

    @Option(
        help: ArgumentHelp(
            "How much of what came in is fetched and compared: none, sample, a number of packages, all.", valueName: "extent"))
    var check: String?

    func validate() throws {
        if let restart, Restart(restart) == nil {
            throw ValidationError("\"\(restart)\" is no way to restart: none, systemd[:UNIT], docker:CONTAINER, command:WORDS")
        }
        if let registry, RegistryAddress(registry) == nil {
            throw ValidationError("\"\(registry)\" is no address to ask at: http://HOST[:PORT]; name Verdaccio's own, without TLS")
        }
        if let check, ServiceCheck.Extent(check) == nil { throw ValidationError("\"\(check)\" is none of: none, sample, a number, all") }
    }

    /// Keeps what was said, so that it need not be said again.
    func keep(in ledger: Ledger) throws {
        for (name, value) in [("restart", restart), ("registry", registry), ("check", check)] {
            if let value { try ledger.set(name, value) }
        }
    }

    /// What is said now, else what was said at "init".
    func service(_ ledger: Ledger) throws -> ServedImport.Service {
        var service = ServedImport.Service()
        if let how = try restart ?? ledger.setting("restart"), let restart = Restart(how) { service.restart = restart }
        if let text = try check ?? ledger.setting("check"), let extent = ServiceCheck.Extent(text) { service.extent = extent }
        if let url = try registry ?? ledger.setting("registry"), let address = RegistryAddress(url) {
            service.check = ServiceCheck(address, authorization: environment("FERRY_REGISTRY_AUTHORIZATION"))
        } else if check != nil, service.extent != .none {
            throw ValidationError("say where the registry is asked: --registry URL")
        }
        return service
    }
}
