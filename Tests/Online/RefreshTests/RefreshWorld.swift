import Catalog
import Foundation
import PackageStore
import Platform
import Refresh
import Registries
import RegistryHarness
import Resolution
import SystemPackage
import VerdaccioSettings

/// An upstream, a registry that proxies it, and a catalog.
struct RefreshWorld {
    let upstream: ScriptedUpstream
    let registry: RegistryProcess
    let catalog: Catalog
    /// As the registry's configuration has it; the uplink counts as offline for a moment only.
    let uplink: VerdaccioUplink

    /// Runs a body in such a world.
    ///
    /// - Parameter settings: lines of the uplink, in YAML's flow form.
    static func run(
        _ program: RegistryProgram = .standIn, _ settings: String = "maxage: 0s, timeout: 2s, fail_timeout: 200ms",
        packages: String = "", _ body: @Sendable (RefreshWorld) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-refresh-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let catalog = try Catalog(opening: FilePath(folder.path).appending("data.sqlite"))
        try await ScriptedUpstream.run { upstream in
            var options = RegistryProcess.Options(uplink: upstream.url)
            options.uplinkSettings = settings
            options.packages = packages
            try await RegistryProcess.run(program, options) { registry in
                var uplink = VerdaccioUplink(name: "up", url: upstream.url)
                uplink.maxAge = settings.contains("10m") ? .seconds(600) : .seconds(0)
                uplink.failTimeout = .milliseconds(200)
                try await body(RefreshWorld(upstream: upstream, registry: registry, catalog: catalog, uplink: uplink))
            }
        }
    }

    /// Puts packages upstream.
    func publish(_ packages: SamplePackage...) { for package in packages { upstream.set(package) } }

    /// Brings packages into the cache, as a person's `npm view` does.
    func seed(_ names: String...) async throws {
        for name in names { _ = try await registry.get("/\(name.replacing("/", with: "%2f"))") }
        _ = upstream.takeRequests()
    }

    static var options: RefreshOptions {
        var options = RefreshOptions()
        options.platforms = ["linux-x64"].compactMap { TargetPlatform($0) }
        options.idleTimeout = .seconds(2)
        options.keepTimeout = .seconds(20)
        options.pause = .milliseconds(1)
        return options
    }

    func refresher(uplinks: (@Sendable (PackageName) -> [VerdaccioUplink]?)? = nil) -> Refresher {
        let uplink = uplink
        return Refresher(
            registry: ProxyRegistry(url: registry.url, authorization: nil, uplinks: uplinks ?? { _ in [uplink] }),
            layout: StorageLayout(root: registry.storage), catalog: catalog)
    }

    func refresh(_ change: (inout RefreshOptions) -> Void = { _ in }) async throws -> RefreshReport {
        var options = Self.options
        change(&options)
        return try await refresher().run(options)
    }

    /// The tarballs in storage, by their paths, sorted.
    func tarballs() throws -> [String] {
        let root = registry.storage.string
        let all = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return all.filter { $0.hasSuffix(".tgz") }.sorted()
    }
}

extension RefreshReport {
    /// Codes and subjects of what is no note.
    var troubles: [String] { findings.filter { $0.severity != .note }.map { "\($0.code.rawValue) \($0.subject)" } }
}
