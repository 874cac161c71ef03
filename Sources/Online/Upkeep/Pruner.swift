package import Catalog
import Integrity
package import Platform
package import Settings
import Snapshots
package import SystemPackage

/// Removes old logs, archives and snapshots, and what nothing names any more.
///
/// The caller holds the lock of the state. A run that is killed at any moment leaves every snapshot that is still there whole, and the next
/// run goes on: an archive is marked as pruned before it goes, a manifest goes before the transfer forms that only it names, and both are
/// durable before that.
package struct Pruner: Sendable {
    /// How much of each kind is kept.
    package struct Limits: Sendable {
        package var snapshots: OnlineSettings.RetentionLimits
        package var artifacts: OnlineSettings.RetentionLimits
        package var logs: OnlineSettings.RetentionLimits

        package init(
            snapshots: OnlineSettings.RetentionLimits = OnlineSettings.RetentionLimits(),
            artifacts: OnlineSettings.RetentionLimits = OnlineSettings.RetentionLimits(),
            logs: OnlineSettings.RetentionLimits = OnlineSettings.RetentionLimits()
        ) {
            self.snapshots = snapshots
            self.artifacts = artifacts
            self.logs = logs
        }
    }

    private let state: FilePath
    private let limits: Limits
    private let clock: WallClock
    private let files: any FileSystem
    private let disk = DiskFileSystem()

    private var store: SnapshotStore { SnapshotStore(directory: state.appending("snapshots")) }
    private var artifacts: FilePath { state.appending("artifacts") }

    /// - Parameters:
    ///   - state: the state directory.
    ///   - files: removes; a test stops it on its way.
    package init(state: FilePath, limits: Limits, clock: WallClock = .system, files: any FileSystem = DiskFileSystem()) {
        self.state = state
        self.limits = limits
        self.clock = clock
        self.files = files
    }

    // MARK: The plan

    /// What is to be removed now; nothing is changed.
    ///
    /// - Throws: `PruneError`, `FileSystemError`, GRDB's errors.
    package func plan(_ catalog: Catalog) throws -> PrunePlan {
        var plan = try logPlan()
        let bundles = try catalog.bundles()
        let goneArtifacts = try planArtifacts(bundles, &plan)
        let snapshots = try headers()
        let destinations = try catalog.knownDestinations()
        let needed = Retention.needed(
            snapshots: snapshots, bundles: bundles, acknowledged: try destinations.compactMap { try catalog.receipts(of: $0.id).first },
            assumed: try destinations.filter { $0.baseline == .assumeApplied }.compactMap {
                try catalog.assumedBundle(for: $0.id)?.target
            }, removing: goneArtifacts)
        let goneSnapshots = try planSnapshots(snapshots, needed, &plan)
        try planLeftovers(bundles, &plan)
        plan.forms = try unreferencedForms(catalog, snapshots.map(\.id).filter { !goneSnapshots.contains($0) })
        return plan
    }

    /// The logs that are to be removed now, for which no catalog is needed; nothing is changed.
    ///
    /// One that was written to in the last day stays, since a job may be writing it. What is no `.log`, and directories, stay too.
    package func logPlan() throws -> PrunePlan {
        var plan = PrunePlan()
        let now = clock.now()
        let directory = state.appending("logs")
        let found = try (disk.names(in: directory) ?? []).compactMap { name -> (path: FilePath, status: FileStatus)? in
            guard name.hasSuffix(".log"), !name.hasPrefix("."), let status = try disk.status(of: directory.appending(name)),
                status.kind == .file
            else { return nil }
            return (directory.appending(name), status)
        }
        let logs = found.sorted { ($0.status.identity.modified, $0.path.string) < ($1.status.identity.modified, $1.path.string) }
        let candidates = logs.map {
            Retention.Candidate(created: Timestamp(nanoseconds: $0.status.identity.modified), bytes: $0.status.identity.size)
        }
        let reasons = Retention.passing(limits.logs, candidates, now: now)
        for (index, log) in logs.enumerated() {
            guard let reason = reasons[index], now.nanoseconds - log.status.identity.modified > Self.day else { continue }
            plan.items.append(
                PrunePlan.Item(kind: .log, path: log.path, bytes: log.status.identity.size, reason: reason.description))
        }
        return plan
    }

    private static let day: Int64 = 86_400_000_000_000

    private func planArtifacts(_ bundles: [BundleRecord], _ plan: inout PrunePlan) throws -> Set<Identifier> {
        let kept = try bundles.filter { try $0.pruned == nil && disk.status(of: directory(of: $0)) != nil }
            .sorted { $0.number < $1.number }
        let candidates = kept.map { bundle in
            Retention.Candidate(created: bundle.created, bytes: DirectorySize.measure(directory(of: bundle)).total.bytes)
        }
        let reasons = Retention.passing(limits.artifacts, candidates, now: clock.now())
        let needed = Retention.needed(bundles: bundles)
        var gone: Set<Identifier> = []
        for (index, bundle) in kept.enumerated() {
            guard let reason = reasons[index], !needed.contains(bundle.id) else { continue }
            gone.insert(bundle.id)
            plan.items.append(
                PrunePlan.Item(
                    kind: .artifact(bundle.id), path: directory(of: bundle), bytes: candidates[index].bytes, reason: reason.description))
        }
        return gone
    }

    private func directory(of bundle: BundleRecord) -> FilePath { artifacts.appending(bundle.id.text) }

    /// Every snapshot, oldest first by its counter.
    private func headers() throws -> [SnapshotHeader] {
        var headers: [SnapshotHeader] = []
        for id in try (disk.names(in: store.directory) ?? []).compactMap({ SnapshotID($0) }) {
            do { try store.open(id).map { headers.append($0.header) } } catch { throw PruneError.unreadable(store.manifest(of: id), error) }
        }
        return headers.sorted { $0.counter < $1.counter }
    }

    private func planSnapshots(
        _ snapshots: [SnapshotHeader], _ needed: [SnapshotID: String], _ plan: inout PrunePlan
    ) throws -> Set<SnapshotID> {
        let candidates = snapshots.map { header in
            Retention.Candidate(
                created: header.created, bytes: DirectorySize.measure(store.directory.appending(header.id.text)).total.bytes)
        }
        let reasons = Retention.passing(limits.snapshots, candidates, now: clock.now())
        var gone: Set<SnapshotID> = []
        for (index, header) in snapshots.enumerated() {
            guard let reason = reasons[index] else { continue }
            if let why = needed[header.id] {
                plan.spared.append(PrunePlan.Spared(snapshot: header.id, reason: "\(reason), but \(why)"))
                continue
            }
            gone.insert(header.id)
            plan.items.append(
                PrunePlan.Item(
                    kind: .snapshot(header.id), path: store.directory.appending(header.id.text), bytes: candidates[index].bytes,
                    reason: reason.description))
        }
        return gone
    }

    /// Drafts, archives that were never recorded or are marked as pruned, and snapshots without a manifest: what killed runs left.
    private func planLeftovers(_ bundles: [BundleRecord], _ plan: inout PrunePlan) throws {
        func add(_ path: FilePath, _ reason: String) throws {
            guard let status = try disk.status(of: path) else { return }
            let bytes = status.kind == .directory ? DirectorySize.measure(path).total.bytes : status.identity.size
            plan.items.append(PrunePlan.Item(kind: .leftover, path: path, bytes: bytes, reason: reason))
        }
        let known = Dictionary(uniqueKeysWithValues: bundles.map { ($0.id, $0) })
        for name in try disk.names(in: artifacts) ?? [] {
            let path = artifacts.appending(name)
            if name.hasPrefix(".b-"), name.hasSuffix(".draft") {
                try add(path, "the draft of a bundle that was not finished")
            } else if let id = Identifier(name, .bundle) {
                if known[id] == nil { try add(path, "a bundle that was never recorded") }
                if known[id]?.pruned != nil { try add(path, "a bundle that is pruned") }
            }
        }
        for name in try disk.names(in: store.directory) ?? [] {
            let path = store.directory.appending(name)
            if name == ".manifest.draft" {
                try add(path, "the draft of a snapshot that was not finished")
            } else if let id = SnapshotID(name), try disk.status(of: store.manifest(of: id)) == nil {
                try add(path, "a snapshot without its manifest")
            }
        }
        guard let objects = try DirectoryReader(opening: store.objects) else { return }
        var drafts: [String] = []
        try objects.forEachName { name throws(FileSystemError) in
            if name.hasPrefix("."), name.hasSuffix(".draft") { drafts.append(name) }
        }
        for name in drafts.sorted() { try add(store.objects.appending(name), "the draft of a transfer form") }
    }

    /// The transfer forms that neither a snapshot of these nor a record of the last scan names, in the order of their names.
    ///
    /// What is named is remembered by its first 8 bytes: 16 bytes or so a form, so that 100,000 packages in a hundred different states each
    /// take 200 MB at worst, and those of a storage whose snapshots mostly agree, a few. Two forms that begin alike would keep one too many;
    /// that is as likely as one in 40 million among a million of them, and does no harm.
    private func unreferencedForms(_ catalog: Catalog, _ snapshots: [SnapshotID]) throws -> [PrunePlan.Form] {
        guard let objects = try DirectoryReader(opening: store.objects) else { return [] }
        var named: Set<UInt64> = []
        for id in snapshots {
            do {
                var reader = try store.open(id)
                while let packument = try reader?.nextPackument() { named.insert(packument.digest.leadingWord) }
            } catch { throw PruneError.unreadable(store.manifest(of: id), error) }
        }
        try catalog.forEachForm { named.insert($0.leadingWord) }
        var forms: [PrunePlan.Form] = []
        try objects.forEachName { name throws(FileSystemError) in
            guard let digest = SHA512Digest(hex: name), !named.contains(digest.leadingWord) else { return }
            guard let status = try objects.status(of: name), status.kind == .file else { return }
            forms.append(PrunePlan.Form(digest: digest, bytes: status.identity.size))
        }
        return forms.sorted { $0.digest.leadingWord < $1.digest.leadingWord }
    }

    // MARK: Its execution

    /// Removes what a plan names.
    ///
    /// - Parameters:
    ///   - catalog: `nil` for a plan of nothing but logs.
    ///   - progress: told how many items are done, of how many.
    /// - Throws: `FileSystemError`, `DatabaseFileError`; what went by then is gone, and the next run removes the rest.
    package func run(
        _ plan: PrunePlan, _ catalog: Catalog?, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        let total = plan.items.count + plan.forms.count
        for (index, item) in plan.items.enumerated() {
            switch item.kind {
            case .log: _ = try files.remove(item.path)
            case .artifact(let id):
                try catalog?.markPruned(id, at: clock.now())
                try files.removeTree(item.path)
            case .snapshot(let id):
                // Without its manifest it is none, whatever else of it is left; and it must not come back after a power cut, when its
                // transfer forms are gone.
                _ = try files.remove(store.manifest(of: id))
                try files.syncDirectory(item.path)
                try files.removeTree(item.path)
            case .leftover: try files.removeTree(item.path)
            }
            progress(index + 1, total)
        }
        for (index, form) in plan.forms.enumerated() {
            _ = try files.remove(store.object(form.digest))
            progress(plan.items.count + index + 1, total)
        }
    }
}
