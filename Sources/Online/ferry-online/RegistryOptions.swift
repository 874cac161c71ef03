import ArgumentParser
import PackageStore
import Registries
import Settings
import VerdaccioSettings

/// Where the proxying Verdaccio is, and what it fetches from.
struct RegistryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Verdaccio's address (default: where its configuration says it listens, else http://localhost:4873).",
            discussion: "Environment: FERRY_REGISTRY; a token for it: FERRY_REGISTRY_TOKEN.", valueName: "url"))
    var registry: String?

    @Option(
        help: ArgumentHelp(
            "The registry Verdaccio fetches from, where no --verdaccio-config says it.",
            discussion: "Environment: FERRY_VERDACCIO_UPSTREAM.", valueName: "url"))
    var upstream: String?

    /// The keys of the settings that the flags set.
    var flags: [OnlineSettings.Flag] {
        [
            OnlineSettings.Flag("verdaccio.registry", "--registry", registry),
            OnlineSettings.Flag("verdaccio.upstream", "--upstream", upstream),
        ]
    }

    /// The registry that the settings name, with what Verdaccio's configuration says of its uplinks.
    func proxy(_ settings: OnlineSettings, _ verdaccio: VerdaccioSettings?) -> ProxyRegistry {
        let upstream = settings.upstream.value.map { VerdaccioUplink(name: "", url: $0) }
        let token = environment("FERRY_REGISTRY_TOKEN").map { "Bearer \($0)" }
        return ProxyRegistry(url: settings.registry(verdaccio).value, authorization: token) { package in
            verdaccio?.uplinks(for: package.text).map { $0.resolvingToken(environment) } ?? upstream.map { [$0] }
        }
    }
}
