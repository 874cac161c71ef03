import ArchiveCheck
import ArchiveSamples
import CanonicalJSON
import Catalog
import Foundation
import Integrity
import Inventory
import PackageStore
import Platform
import Registries
import RegistryHarness
import Repair
import Snapshots
import SystemPackage
import Testing
import VerdaccioSettings

/// An upstream, a registry that proxies it, and a catalog of what the registry keeps.
struct RepairWorld {
    let upstream: ScriptedUpstream
    let registry: RegistryProcess
    let catalog: Catalog
    let folder: FilePath
    let uplink: VerdaccioUplink

    var quarantine: FilePath { folder.appending("quarantine") }
    var layout: StorageLayout { StorageLayout(root: registry.storage) }
    var snapshots: SnapshotStore { SnapshotStore(directory: folder.appending("snapshots")) }

    /// Runs a body in such a world.
    static func run(
        _ program: RegistryProgram, packages: String = "", _ body: @Sendable (RepairWorld) async throws -> Void
    ) async throws {
        let folder = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-repair-\(UUID().uuidString)")
        try DiskFileSystem().createDirectories(folder)
        defer { try? DiskFileSystem().removeTree(folder) }
        let catalog = try Catalog(opening: folder.appending("data.sqlite"))
        try await ScriptedUpstream.run { upstream in
            var options = RegistryProcess.Options(uplink: upstream.url)
            options.uplinkSettings = "maxage: 0s, timeout: 2s, fail_timeout: 200ms"
            options.packages = packages
            try await RegistryProcess.run(program, options) { registry in
                var uplink = VerdaccioUplink(name: "up", url: upstream.url)
                uplink.maxAge = .seconds(0)
                uplink.failTimeout = .milliseconds(200)
                try await body(
                    RepairWorld(upstream: upstream, registry: registry, catalog: catalog, folder: folder, uplink: uplink))
            }
        }
    }

    /// A package whose tarballs are ones that npm could unpack.
    static func package(_ name: String, _ versions: String...) -> SamplePackage {
        var package = SamplePackage(name)
        package.tags = versions.last.map { ["latest": $0] } ?? [:]
        for version in versions {
            var tar = TarImage()
            tar.addFile("package/package.json", Array("{\"name\":\"\(name)\",\"version\":\"\(version)\",\"license\":\"MIT\"}".utf8))
            tar.addFile("package/index.js", Array("module.exports = '\(name) \(version)'\n".utf8))
            tar.addEnd()
            package.tarballs[version] = Gzip.stored(tar.bytes)
        }
        return package
    }

    /// Puts packages upstream and brings all their tarballs into the cache.
    func cache(_ packages: SamplePackage...) async throws {
        for package in packages {
            upstream.set(package)
            for version in package.tarballs.keys {
                #expect(try await registry.get("/\(package.name)/-/\(package.file(version))").status == 200)
                // The last thing that a download writes.
                _ = try await registry.eventually {
                    try registry.packument(package.name)?["_attachments"]?.object?[package.file(version)] != nil
                }
            }
        }
    }

    /// Publishes a version to the registry itself.
    func publish(_ package: SamplePackage, _ version: String) async throws {
        let path = "/\(package.name.replacing("/", with: "%2f"))"
        let answer = try await registry.send("PUT", path, body: package.publication(version, at: registry.url))
        #expect(answer.status == 201)
        _ = try await registry.eventually { try registry.packument(package.name)?["versions"]?.object?[version] != nil }
    }

    /// Scans and checks; what is damaged, as `path kind state`.
    @discardableResult
    func check() throws -> [String] {
        // Files that the registry has just written may be as young as the scan.
        let later = Timestamp(nanoseconds: WallClock.system.now().nanoseconds + 60_000_000_000)
        _ = try StorageScan(layout: layout, catalog: catalog, clock: WallClock { later }).run()
        let report = try StorageCheck(layout: layout, catalog: catalog).run()
        #expect(report.unreadable.isEmpty && report.passed == 0)
        return report.broken.map { "\($0.path) \($0.damage.kind.rawValue) \($0.state.rawValue)" }
    }

    /// Repairs all that the last check has listed; `path: how` of each file, those that failed with a `!`.
    func repair(knowsUpstream: Bool = true, at url: String? = nil, _ change: (inout Repairer.Options) -> Void = { _ in }) async throws
        -> [String]
    {
        var options = Repairer.Options()
        options.pause = .milliseconds(1)
        options.patience = .milliseconds(20)
        options.idleTimeout = .seconds(2)
        change(&options)
        let uplink = uplink
        let repairer = Repairer(
            registry: ProxyRegistry(url: url ?? registry.url, authorization: nil) { _ in knowsUpstream ? [uplink] : nil }, layout: layout,
            catalog: catalog, snapshots: snapshots, quarantine: quarantine)
        let report = try await repairer.run(catalog.brokenArchives(), options)
        return report.outcomes.map { "\($0.attempt.isRepaired ? "" : "! ")\($0.archive.path): \($0.attempt.reason)" }
    }

    func snapshot(allowsShrinking: Bool = false) throws {
        var options = SnapshotBuilder.Options()
        options.allowsShrinking = allowsShrinking
        _ = try SnapshotBuilder(layout: layout, records: catalog, store: snapshots, origin: catalog.origin { randomBytes(20) }).take(
            options)
    }

    /// The tarballs of a package, sorted.
    func tarballs(of name: String) throws -> [String] { try registry.names(in: name).filter { $0.hasSuffix(".tgz") } }

    /// The names of the copies in quarantine, without their digests, sorted.
    func quarantined() throws -> [String] {
        let all = FileManager.default.enumerator(atPath: quarantine.string)?.compactMap { $0 as? String } ?? []
        return all.filter { $0.contains(".tgz.") || $0.contains(".json.") }.map {
            String($0.split(separator: ".").dropLast().joined(separator: "."))
        }.sorted()
    }
}
