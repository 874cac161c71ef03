import ArgumentParser
import PackageStore
import Registries
import VerdaccioSettings

/// Where the proxying Verdaccio is, and what it fetches from.
struct RegistryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Verdaccio's address (default: http://localhost:4873).",
            discussion: "Environment: FERRY_REGISTRY; a token for it: FERRY_REGISTRY_TOKEN.", valueName: "url"))
    var registry: String?

    @Option(help: ArgumentHelp("The registry Verdaccio fetches from, where no --verdaccio-config says it.", valueName: "url"))
    var upstream: String?

    /// Verdaccio's address.
    var url: String { registry ?? environment("FERRY_REGISTRY") ?? "http://localhost:4873" }

    /// That registry, with what a configuration says of its uplinks.
    func proxy(_ settings: VerdaccioSettings?) -> ProxyRegistry {
        let upstream = upstream.map { VerdaccioUplink(name: "", url: $0) }
        return ProxyRegistry(url: url, authorization: environment("FERRY_REGISTRY_TOKEN").map { "Bearer \($0)" }) { package in
            settings?.uplinks(for: package.text).map { $0.resolvingToken(environment) } ?? upstream.map { [$0] }
        }
    }
}
