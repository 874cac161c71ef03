import BundleFormat
import CanonicalJSON
import Catalog
import Export
import Foundation
import ImportLedger
import ImportPipeline
import Integrity
import Keys
import MediaLayout
import PackageStore
import Platform
import Replying
import Rollbacks
import Snapshots
import SystemPackage
import Testing
import Verification

/// Both sides of the gap in a temporary directory: an online storage, an isolated storage, a medium between them.
final class World {
    let root: FilePath
    let key = MinisignSecretKey.generate()
    let files = DiskFileSystem()
    let catalog: Catalog
    let ledger: Ledger
    let destination: Identifier
    let origin: Identifier
    var trust = TrustStore()
    private var recorded: Set<Identifier> = []

    var online: FilePath { root.appending("online") }
    var isolated: FilePath { root.appending("isolated") }
    var medium: Medium { Medium(root: root.appending("medium")) }
    var snapshots: SnapshotStore { SnapshotStore(directory: root.appending("state/snapshots")) }

    init() throws {
        root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-world-\(UUID().uuidString)")
        for name in ["online", "isolated", "medium", "state", "offline-state"] { try files.createDirectories(root.appending(name)) }
        catalog = try Catalog(opening: root.appending("state/data.sqlite"))
        ledger = try Ledger(opening: root.appending("offline-state/ledger.sqlite"))
        destination = Identifier(.destination, random: randomBytes(20))
        try ledger.setDestination(destination)
        origin = try catalog.origin { randomBytes(20) }
        trust.add(key.publicKey, origin: origin)
    }

    deinit { try? files.removeTree(root) }

    /// Writes a package into a storage as Verdaccio would have it: these versions on disk, those only known.
    func put(
        _ name: String, _ versions: [String: String], tags: [String: String] = [:], knownOnly: [String] = [], isProxied: Bool = false,
        in storage: FilePath? = nil
    ) throws {
        let package = try #require(PackageName(name))
        let directory = (storage ?? online).appending(name)
        try files.createDirectories(directory)
        var entries = JSONObject()
        var distfiles = JSONObject()
        for (version, content) in versions.merging(knownOnly.map { ($0, "never fetched") }, uniquingKeysWith: { first, _ in first }) {
            let file = "\(package.base)-\(version).tgz"
            let sum = Data(SHA512.digest(of: Array(content.utf8)).bytes).base64EncodedString()
            entries[version] = [
                "name": .string(name), "version": .string(version),
                "dist": ["integrity": .string("sha512-\(sum)"), "tarball": .string("http://127.0.0.1:4873/\(name)/-/\(file)")],
            ]
            if isProxied { distfiles[file] = ["url": .string("https://registry.example/\(name)/-/\(file)"), "registry": "npmjs"] }
            if versions[version] != nil { try files.write(Array(content.utf8), to: directory.appending(file)) }
        }
        let latest = tags.isEmpty ? ["latest": versions.keys.compactMap { PackageVersion($0) }.max()?.text ?? ""] : tags
        let document: JSONValue = [
            "name": .string(name), "versions": .object(entries),
            "dist-tags": .object(JSONObject(uniqueMembers: latest.map { (name: $0.key, value: .string($0.value)) })),
            "time": [:], "_rev": "3-abc", "_uplinks": ["npmjs": ["fetched": 1]], "_distfiles": .object(distfiles),
            "_attachments": [:], "readme": "",
        ]
        let packument = directory.appending("package.json")
        try files.replace(packument, with: document.canonicalBytes)
        // What changed in this tick of the clock may change in it once more, and so would be read twice by the next scan.
        let changed = try #require(try files.status(of: packument)).identity.changed
        while WallClock.system.now().nanoseconds <= changed {}
    }

    /// What upstream says otherwise of an online package, having these versions.
    func overlay(_ name: String, _ versions: JSONValue, tags: JSONValue = [:]) throws -> UpstreamOverlay {
        let bytes = try #require(try files.contents(of: online.appending(name).appending("package.json"), limit: 1 << 20))
        let stored = try StoredPackument(parsing: bytes, of: #require(PackageName(name)))
        let upstream = JSONObject(uniqueMembers: [("name", .string(name)), ("dist-tags", tags), ("versions", versions)])
        return try UpstreamOverlay(of: stored, upstream: upstream)
    }

    /// Lets the catalog know what upstream says now of an online package; without versions, what is stored.
    func refresh(_ name: String, _ versions: JSONValue? = nil, tags: JSONValue = [:]) throws {
        let overlay = try versions.map { try self.overlay(name, $0, tags: tags) } ?? UpstreamOverlay()
        let record = UpstreamRecord(url: "https://registry.example/\(name)", etag: nil, checked: WallClock.system.now(), overlay: overlay)
        try catalog.keep([(#require(PackageName(name)), record)])
    }

    /// Removes a version inside as Verdaccio does: entry, tag and file go, the revision counts on.
    func unpublish(_ name: String, _ version: String) throws {
        var document = try packument(name)
        var versions = document["versions"]?.object ?? JSONObject()
        versions[version] = nil
        document["versions"] = .object(versions)
        let tags = (document["dist-tags"]?.object?.members ?? []).filter { $0.value.string != version }
        document["dist-tags"] = .object(JSONObject(uniqueMembers: tags))
        document["_rev"] = .string(document.revision.next(content: .ofNothing).text)
        let directory = isolated.appending(name)
        try files.replace(directory.appending("package.json"), with: JSONValue.object(document).canonicalBytes)
        let base = try #require(PackageName(name)).base
        try files.removeTree(directory.appending("\(base)-\(version).tgz"))
    }

    /// Publishes a version inside as Verdaccio does: the tarball is there, the entry and the tags are added, the revision counts on.
    func publish(_ name: String, _ version: String, _ content: String, tags: [String: String]) throws {
        try put(name, [version: content], in: root.appending("publisher"))
        let made = root.appending("publisher").appending(name)
        let base = try #require(PackageName(name)).base
        let directory = isolated.appending(name)
        try files.write(Array(content.utf8), to: directory.appending("\(base)-\(version).tgz"))
        let bytes = try #require(try files.contents(of: made.appending("package.json"), limit: 1 << 20))
        var document = try packument(name)
        var versions = document["versions"]?.object ?? JSONObject()
        versions[version] = try JSONParser.parse(bytes, mode: .strict).object?["versions"]?.object?[version]
        document["versions"] = .object(versions)
        var all = document["dist-tags"]?.object ?? JSONObject()
        for (tag, version) in tags { all[tag] = .string(version) }
        document["dist-tags"] = .object(all)
        document["_rev"] = .string(document.revision.next(content: .ofNothing).text)
        try files.replace(directory.appending("package.json"), with: JSONValue.object(document).canonicalBytes)
    }

    @discardableResult
    func snapshot(
        allowsShrinking: Bool = false, progress: @escaping @Sendable (Int, Int, Int64) -> Void = { _, _, _ in }
    ) throws -> SnapshotBuilder.Report {
        var options = SnapshotBuilder.Options()
        options.allowsShrinking = allowsShrinking
        return try SnapshotBuilder(
            layout: StorageLayout(root: online), records: catalog, store: snapshots, origin: origin, progress: progress
        ).take(options)
    }

    /// Writes a bundle to the newest snapshot and returns its archive.
    func bundle(
        from baseline: SnapshotID? = nil, destination: BundleDestination = .any, keys: [MinisignSecretKey]? = nil
    ) throws -> FilePath {
        try write(from: baseline, destination: destination, keys: keys).path
    }

    /// Writes a bundle to the newest snapshot and keeps it in the catalog.
    @discardableResult
    func keepBundle(from baseline: SnapshotID? = nil, destination: BundleDestination = .any) throws -> BundleRecord {
        let written = try write(from: baseline, destination: destination, keys: nil)
        let descriptor = written.descriptor
        let record = BundleRecord(
            id: descriptor.bundle, label: descriptor.label, created: descriptor.created, destination: destination,
            sequence: descriptor.sequence, baseline: baseline, target: try #require(snapshots.headers().last).id,
            targetRoot: descriptor.targetRoot, counts: descriptor.counts, size: written.size, keys: [])
        try catalog.add(record)
        return record
    }

    private func write(
        from baseline: SnapshotID?, destination: BundleDestination, keys: [MinisignSecretKey]?
    ) throws -> BundleWriter.Written {
        let builder = BundleBuilder(
            layout: try StorageLayout(root: online).located(), store: snapshots, artifacts: root.appending("state/artifacts"),
            known: recorded)
        let newest = try #require(snapshots.headers().last)
        let envelope = BundleWriter.Envelope(
            bundle: Identifier(.bundle, random: randomBytes(20)), created: WallClock.system.now(), destination: destination,
            sequence: try catalog.sequence(of: newest), keys: keys ?? [key], program: "tests")
        recorded.insert(envelope.bundle)
        return try builder.build(
            from: baseline.map { try builder.open($0) }, to: builder.open(newest.id), envelope: envelope, allowsUnsettled: false)
    }

    /// What makes receipts and requests of the isolated side.
    func replyMaker() throws -> ReplyMaker {
        let state = root.appending("offline-state")
        let identity = try DestinationIdentity(destination, ledger: ledger, ring: KeyRing(state: state), name: "Plant 7")
        return ReplyMaker(identity, layout: StorageLayout(root: isolated), state: state, ledger: ledger)
    }

    func pipeline(_ options: ImportPipeline.Options = ImportPipeline.Options(), trust: TrustStore?? = nil) -> ImportPipeline {
        ImportPipeline(
            layout: StorageLayout(root: isolated), state: root.appending("offline-state"), ledger: ledger,
            trust: trust ?? self.trust, destination: destination, options: options)
    }

    @discardableResult
    func run(_ archive: FilePath, _ options: ImportPipeline.Options = ImportPipeline.Options()) throws -> ImportPipeline.Report {
        try pipeline(options).run(ArchiveSource(volumes: [archive]), operatorName: "tester", sourceName: "test")
    }

    /// Undoes an import.
    @discardableResult
    func rollBack(_ id: Int64, acceptsLosses: Bool = false, files: any FileSystem = DiskFileSystem()) throws -> Rollback.Report {
        try rollback(files: files).run(id, operatorName: "tester", acceptsLosses: acceptsLosses)
    }

    func rollback(files: any FileSystem = DiskFileSystem()) -> Rollback {
        Rollback(layout: StorageLayout(root: isolated), state: root.appending("offline-state"), ledger: ledger, files: files)
    }

    /// What imports have kept to be undone by.
    func backups() throws -> [String: [UInt8]] {
        let folder = isolated.appending(".ferry-backups")
        return try files.status(of: folder) == nil ? [:] : contents(of: folder)
    }

    /// Every file of the isolated storage with its bytes, but what imports have kept to be undone by.
    func contents(of directory: FilePath? = nil) throws -> [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        let directory = directory ?? isolated
        for name in try files.names(in: directory) ?? [] where name != ".ferry-backups" {
            let path = directory.appending(name)
            if try files.status(of: path)?.kind == .directory {
                for (inner, bytes) in try contents(of: path) { result["\(name)/\(inner)"] = bytes }
                result["\(name)/"] = []
            } else {
                result[name] = try files.contents(of: path, limit: 1 << 24)
            }
        }
        return result
    }

    /// The packument of an isolated package.
    func packument(_ name: String) throws -> JSONObject {
        let bytes = try #require(try files.contents(of: isolated.appending(name).appending("package.json"), limit: 1 << 24))
        return try #require(try JSONParser.parse(bytes, mode: .strict).object)
    }

    /// What must be true of the isolated storage at every moment: each listed version's tarball is there with its digest.
    func expectServable(in storage: FilePath? = nil, sourceLocation: SourceLocation = #_sourceLocation) throws {
        for location in try StorageLayout(root: storage ?? isolated).discover().packages {
            let bytes = try #require(try files.contents(of: location.directory.appending("package.json"), limit: 1 << 24))
            let stored = try StoredPackument(parsing: bytes, of: location.package)
            for version in stored.declared {
                let tarball = try files.contents(of: location.directory.appending(version.file.text), limit: 1 << 24)
                let proof = tarball.map { TarballProof(sha512: SHA512.digest(of: $0), sha1: nil, size: Int64($0.count)) }
                #expect(proof.flatMap(version.matches) == true, "\(location.package)@\(version.version)", sourceLocation: sourceLocation)
            }
        }
    }
}

extension ImportPipeline.Options {
    /// One package after the other, so that the steps of an import can be counted, and two batches or more of most bundles.
    static var oneAtATime: ImportPipeline.Options {
        var options = ImportPipeline.Options()
        options.width = 1
        options.batchLimit = 2
        return options
    }
}
