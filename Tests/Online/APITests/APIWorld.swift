import BundleFormat
import CanonicalJSON
import Catalog
import Destinations
import Dispatch
import Documents
import Export
import Foundation
import HTTPService
import Integrity
import Inventory
import Jobs
import Logging
import MediaLayout
import Mounts
import PackageStore
import Platform
import Replies
import Service
import ServiceLifecycle
import Settings
import Snapshots
import SystemPackage
import Testing

@testable import API

/// A state with what commands have made, in a temporary directory, and the service over it.
final class APIWorld {
    let root: FilePath
    let catalog: Catalog
    let key = MinisignSecretKey.generate()
    let files = DiskFileSystem()
    private var recorded: Set<Identifier> = []
    /// What is mounted, as the kernel would list it.
    private var mounted = ""

    var state: FilePath { root.appending("state") }
    var storage: FilePath { root.appending("storage") }
    var snapshots: SnapshotStore { SnapshotStore(directory: state.appending("snapshots")) }

    init() throws {
        root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-api-\(UUID().uuidString)")
        for name in ["state/keys", "storage"] { try files.createDirectories(root.appending(name)) }
        catalog = try Catalog(opening: root.appending("state/data.sqlite"))
        try files.write(Array(key.publicKey.fileText.utf8), to: state.appending("keys").appending("\(key.publicKey.keyID).pub"))
    }

    deinit { try? files.removeTree(root) }

    /// Jobs that nobody starts, and one that has ended.
    private(set) lazy var jobs = Result { try makeJobs() }

    private func makeJobs() throws -> JobContext {
        let store = try JobStore(state: state, patience: 0.2)
        let job = try store.begin(.scan, .none, by: .commandLine, process: 1) { _ in }
        try files.createDirectories(state.appending("logs"))
        try files.write(Array("one\ntwo\n".utf8), to: store.log(of: job.id))
        try store.end(job.id, JobResult(state: .succeeded, exitCode: 0, reason: "done", report: ["files": 3], touched: ["foo"]))
        let launcher = JobLauncher(program: "/nowhere", options: [], environment: [:], store: store)
        let settings = try OnlineSettings(file: nil, environment: { _ in nil })
        return JobContext(
            store: store, feed: try JobFeed(store: store) { $0.json(now: WallClock.system.now()) },
            runner: JobRunner(store: store, launcher: launcher, rules: JobRunner.Rules()),
            scheduler: Scheduler(store: store, timetables: settings.service.timetables), timeLimit: 3600)
    }

    /// The operations, answering from this state.
    func operations(naming storage: FilePath? = nil, hanging hang: DispatchSemaphore? = nil) throws -> [HTTPOperation] {
        let settings = try OnlineSettings(
            file: nil, environment: { _ in nil },
            flags: [
                OnlineSettings.Flag("state", "--state", state.string),
                OnlineSettings.Flag("storage", "--storage", (storage ?? self.storage).string),
            ])
        let lines = mounted
        let reading = APIContext(
            state: state, catalog: catalog, settings: settings, verdaccio: nil,
            media: MediaSurvey(roots: [root.appending("media")], mountNumber: { _ in nil }),
            mounts: {
                if let hang {
                    hang.wait()
                    hang.signal()
                }
                return MountTable(parsing: Array(lines.utf8))
            }, patience: hang == nil ? .seconds(60) : .milliseconds(20))
        let jobs = try jobs.get()
        return FerryAPI.reading(reading) + FerryAPI.media(reading, jobs) + FerryAPI.destinations(reading, jobs) + FerryAPI.working(jobs)
            + FerryAPI.health(HealthContext(reading, jobs) { "it is not asked" })
    }

    /// Runs a body against the running service, and then ends that.
    func serving(
        naming storage: FilePath? = nil, hanging hang: DispatchSemaphore? = nil,
        changing change: ([HTTPOperation]) -> [HTTPOperation] = { $0 },
        _ body: (APIClient) async throws -> Void
    ) async throws {
        let (ports, port) = AsyncStream<Int>.makeStream()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = WebServer(
            change(try operations(naming: storage, hanging: hang)), as: FerryAPI.description(version: "tests"), port: 0, logger: logger,
            translate: FerryAPI.problem, onRunning: { port.yield($0) })
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        let running = Task { try await group.run() }
        var iterator = ports.makeAsyncIterator()
        let client = APIClient(port: try #require(await iterator.next()), answers: root.appending("answers"))
        do { try await body(client) } catch {
            await group.triggerGracefulShutdown()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await running.value
    }

    // MARK: What there is

    /// Plugs a directory in as a medium.
    func plug(_ name: String, isReadOnly: Bool = false) throws -> FilePath {
        let point = root.appending("media").appending(name)
        try files.createDirectories(point)
        let number = mounted.split(separator: "\n").count + 100
        mounted += "\(number) 1 0:\(number) / \(point) \(isReadOnly ? "ro" : "rw") - tmpfs \(name) rw\n"
        return point
    }

    /// Writes a package into the storage: versions with their tarballs' content.
    func put(_ name: String, _ versions: [String: String], isProxied: Bool = true, tags: [String: String] = [:]) throws {
        let package = try #require(PackageName(name))
        let directory = storage.appending(name)
        try files.createDirectories(directory)
        var entries = JSONObject()
        var distfiles = JSONObject()
        for (version, content) in versions {
            let file = "\(package.base)-\(version).tgz"
            let sum = Data(SHA512.digest(of: Array(content.utf8)).bytes).base64EncodedString()
            entries[version] = [
                "name": .string(name), "version": .string(version), "description": .string("about \(name)"),
                "dist": ["integrity": .string("sha512-\(sum)"), "tarball": .string("http://127.0.0.1:4873/\(name)/-/\(file)")],
            ]
            if isProxied { distfiles[file] = ["url": .string("https://registry.example/\(name)/-/\(file)"), "registry": "npmjs"] }
            try files.write(Array(content.utf8), to: directory.appending(file))
        }
        let latest = ["latest": versions.keys.max() ?? ""].merging(tags) { $1 }
        let document: JSONValue = [
            "name": .string(name), "versions": .object(entries),
            "dist-tags": .object(JSONObject(uniqueMembers: latest.map { (name: $0.key, value: .string($0.value)) })),
            "time": [:], "_rev": "3-abc", "_uplinks": isProxied ? ["npmjs": ["fetched": 1]] : [:], "_distfiles": .object(distfiles),
            "_attachments": [:], "readme": "",
        ]
        try files.replace(directory.appending("package.json"), with: document.canonicalBytes)
    }

    /// The id of the one medium.
    func mediumID() throws -> String {
        let survey = MediaSurvey(roots: [root.appending("media")], mountNumber: { _ in nil })
        return try #require(survey.media(in: MountTable(parsing: Array(mounted.utf8))).first).id.text
    }

    func scan() throws {
        _ = try StorageScan(layout: StorageLayout(root: storage), catalog: catalog).run()
    }

    @discardableResult
    func snapshot() throws -> SnapshotID {
        var options = SnapshotBuilder.Options()
        options.allowsShrinking = true
        let origin = try catalog.origin { randomBytes(20) }
        return try SnapshotBuilder(layout: StorageLayout(root: storage), records: catalog, store: snapshots, origin: origin).take(options)
            .header.id
    }

    /// Writes a bundle to the newest snapshot and keeps it.
    @discardableResult
    func bundle(from baseline: SnapshotID? = nil, destination: BundleDestination = .any, keys: [MinisignSecretKey]? = nil) throws
        -> BundleRecord
    {
        let builder = BundleBuilder(
            layout: try StorageLayout(root: storage).located(), store: snapshots, artifacts: state.appending("artifacts"), known: recorded)
        let newest = try #require(snapshots.headers().last)
        let keys = keys ?? [key]
        let envelope = BundleWriter.Envelope(
            bundle: Identifier(.bundle, random: randomBytes(20)), created: WallClock.system.now(), destination: destination,
            sequence: try catalog.sequence(of: newest), keys: keys, program: "tests")
        recorded.insert(envelope.bundle)
        let (from, to) = (try baseline.map { try builder.open($0) }, try builder.open(newest.id))
        let written = try builder.build(from: from, to: to, envelope: envelope, allowsUnsettled: true)
        let descriptor = written.descriptor
        let record = BundleRecord(
            id: descriptor.bundle, label: descriptor.label, created: descriptor.created, destination: destination,
            sequence: descriptor.sequence, baseline: baseline, target: newest.id, targetRoot: descriptor.targetRoot,
            counts: descriptor.counts, size: written.size, keys: keys.map { $0.publicKey.keyID.description })
        try catalog.add(record) { add in try forEachChange(from: from, to: to) { try $0.target.map { try add($0.path) } } }
        return record
    }

    func archive(of record: BundleRecord) throws -> FilePath {
        let directory = state.appending("artifacts").appending(record.id.text)
        let name = try #require(try files.names(in: directory)?.first { $0.hasSuffix(".zst") })
        return directory.appending(name)
    }

    /// A bit of everything: packages, damage, two snapshots, bundles for two destinations, one of them pruned.
    func fill() throws -> (first: SnapshotID, second: SnapshotID, bundles: [BundleRecord]) {
        for number in 0..<30 { try put("filler-\(number)", ["1.0.0": "filler \(number)", "1.1.0": "filler \(number) again"]) }
        try put("@scope/thing", ["1.0.0": "scoped"], tags: ["next": "1.0.0"])
        try put("own", ["0.1.0": "own"], isProxied: false)
        try scan()
        let first = try snapshot()
        let whole = try bundle()
        try put("filler-1", ["1.0.0": "filler 1", "1.1.0": "filler 1 again", "2.0.0": "filler 1 anew"])
        try put("fresh", ["1.0.0": "fresh"])
        try files.removeTree(storage.appending("filler-2"))
        try scan()
        let second = try snapshot()
        let destination = BundleDestination.only(Identifier(.destination, random: randomBytes(20)))
        let delta = try bundle(from: first, destination: destination)
        let old = try bundle(from: first)
        try catalog.markPruned(old.id, at: WallClock.system.now())
        try files.removeTree(state.appending("artifacts").appending(old.id.text))
        try damage()
        return (first, second, [whole, delta, old])
    }

    /// Lets a destination introduce itself, acknowledge what a bundle leads to but for a file, and ask for packages and for a filler.
    ///
    /// - Returns: the ids of the requests.
    func introduce(_ destination: Identifier, having bundle: BundleRecord, isConfirmed: Bool = true) throws -> [Identifier] {
        let now = WallClock.system.now()
        let card = DestinationCard(destination: destination, name: "Plant 7", key: key.publicKey, created: now)
        let origin = try catalog.origin { randomBytes(20) }
        let correspondence = Correspondence(catalog: catalog, snapshots: snapshots, origin: origin)
        _ = try correspondence.take(SignedReply(card, by: key), from: .cards)
        guard isConfirmed else { return [] }
        try correspondence.confirm(destination, fingerprint: key.publicKey.fingerprint)
        let lost = FileReference(try #require(StorePath("own/package.json")), .ofNothing)
        _ = try correspondence.take(receipt(of: destination, having: bundle, lacking: [lost], counter: 1), from: .receipts)
        let ids = (0..<2).map { _ in Identifier(.request, random: randomBytes(20)) }
        let want = WantRequest(request: ids[0], destination: destination, origin: origin, created: now, specs: ["react@18", "absent"])
        _ = try correspondence.take(SignedReply(want, by: key), from: .requests)
        let gap = GapRequest(
            request: ids[1], destination: destination, origin: origin, created: now, bundle: bundle.id, sequence: bundle.sequence + 1,
            baselineRoot: .ofNothing, targetRoot: .ofNothing, missing: [lost])
        _ = try correspondence.take(SignedReply(gap, by: key), from: .requests)
        return ids
    }

    /// What a destination says that it has.
    func receipt(
        of destination: Identifier, having bundle: BundleRecord, at sequence: Int64? = nil, lacking missing: [FileReference] = [],
        counter: Int64
    ) throws -> SignedReply {
        let applied = Receipt.Applied(bundle: bundle.id, sequence: sequence ?? bundle.sequence, targetRoot: bundle.targetRoot)
        let receipt = Receipt(
            destination: destination, origin: try catalog.origin { randomBytes(20) }, counter: counter, created: WallClock.system.now(),
            applied: applied, imports: [], missing: missing, refused: [])
        return try SignedReply(receipt, by: key)
    }

    /// Finds two tarballs damaged, as a check would.
    func damage() throws {
        var found: [CheckResult] = []
        for candidate in try catalog.checkCandidates(after: .start, all: true, limit: 1000) where found.count < 2 {
            let proof = TarballProof(sha512: .ofNothing, sha1: nil, size: candidate.identity.size)
            found.append(CheckResult(candidate: candidate, proof: proof, damage: Damage(found.isEmpty ? .truncated : .notGzip, "it ends")))
        }
        try catalog.keep(found, at: WallClock.system.now())
        let archive = try #require(try catalog.brokenArchives().first)
        let now = WallClock.system.now()
        try catalog.keep(
            BrokenArchive.Attempt(began: now, ended: now, isRepaired: false, reason: "upstream is offline"), of: archive, state: .missing,
            quarantined: "quarantine/x", isGoneUpstream: true)
    }
}
