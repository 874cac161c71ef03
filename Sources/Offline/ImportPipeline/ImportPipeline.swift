package import Activation
import Backups
package import BundleFormat
package import CanonicalJSON
package import ImportLedger
import Integrity
package import PackageStore
package import Platform
package import Snapshots
import Staging
package import SystemPackage
package import Verification

/// The way of a bundle into the storage: verify → check what it builds upon → stage → back up and apply → record (DESIGN §5).
package struct ImportPipeline: Sendable {
    /// What may be said about an import.
    package struct Options: Sendable {
        package var allowsUnsigned = false
        /// Mix incoming versions into packages that hold only local ones.
        package var adoptsLocalPackages = false
        /// Bring back versions that were removed here.
        package var restoresRemoved = false
        /// Take what was given and is gone for removed on purpose, rather than for lost.
        package var acceptsRemovals = false
        /// What is done with versions here that upstream has withdrawn.
        package var withdrawn = RemovalPolicy.keep
        /// What is done with versions here that have left the origin otherwise.
        package var removed = RemovalPolicy.keep
        /// Packages that are applied at once.
        package var width = 2
        /// Packages between two syncs.
        package var batchLimit = 1024

        package init() {}

        func policy(_ reason: RemovalReason) -> RemovalPolicy { reason == .withdrawn ? withdrawn : removed }
        var removesNothing: Bool { withdrawn == .keep && removed == .keep }
    }

    /// What an import, or its verification, came to.
    package struct Report: Sendable {
        /// What was done.
        package enum Result: String, Sendable {
            case applied
            /// Recorded before, and everything it brought is still here.
            case nothingToDo = "nothing-to-do"
            /// Verified only; nothing was changed.
            case verified
        }

        package let result: Result
        package let descriptor: BundleDescriptor
        package let keys: [String]
        package var importID: Int64?
        /// The sequence of a later state of the same origin that was applied before: what is absent is added, and nothing else is changed.
        package var olderThan: Int64?
        package var outcomes: [String: Int] = [:]
        package var newPackages: [PackageName] = []
        package var refusals: [String] = []
        /// The tarballs that upstream has withdrawn since the bundle's baseline.
        package var withdrawn: [StorePath] = []
        /// The tarballs that were taken away since they have left their origin, or would be.
        package var taken: [StorePath] = []
        /// What goes with them, in words: tags that were put on them here, files that nothing names.
        package var lost: [String] = []
        /// What each file system needs for it, and had.
        package var rooms: [Preflight.Room] = []
    }

    /// An import that was told to end.
    ///
    /// The same import, run again, completes the work.
    package struct Stopped: Error, CustomStringConvertible {
        /// Whether packages were being applied, each of which is in its old or its new state; else the storage is as it was.
        package let hasBegun: Bool

        package var description: String {
            hasBegun
                ? "ended before all of it was applied; each package is as it was, or as it is to be" : "ended before anything was applied"
        }
    }

    let layout: StorageLayout
    let state: FilePath
    let ledger: Ledger
    private let trust: TrustStore?
    private let destination: Identifier
    let options: Options
    let clock: WallClock
    let files: any FileSystem
    let patience: PackageLock.Patience
    /// Told how far it is: what is done, bytes or packages done, all of them.
    let progress: @Sendable (String, Int64, Int64) -> Void
    /// Asked again and again whether the import is to end.
    private let isToEnd: @Sendable () -> Bool

    /// Files that have left, named in the ledger's details.
    private static let namedLimit = 1000

    package init(
        layout: StorageLayout, state: FilePath, ledger: Ledger, trust: TrustStore?, destination: Identifier, options: Options,
        clock: WallClock = .system, files: any FileSystem = DiskFileSystem(), patience: PackageLock.Patience = PackageLock.Patience(),
        progress: @escaping @Sendable (String, Int64, Int64) -> Void = { _, _, _ in }, isToEnd: @escaping @Sendable () -> Bool = { false }
    ) {
        self.layout = layout
        self.state = state
        self.ledger = ledger
        self.trust = trust
        self.destination = destination
        self.options = options
        self.clock = clock
        self.files = files
        self.patience = patience
        self.progress = progress
        self.isToEnd = isToEnd
    }

    /// Goes on, unless it is to end.
    ///
    /// - Throws: `Stopped`.
    func goOn(hasBegun: Bool) throws {
        if isToEnd() { throw Stopped(hasBegun: hasBegun) }
    }

    private var targets: TargetStore { TargetStore(state: state, files: files) }
    var lockJournal: LockJournal { LockJournal(ofState: state, files: files) }
    var stageJournal: StageJournal { StageJournal(ofState: state, files: files) }

    /// Removes what an interrupted import left: stages, and the lock it held.
    ///
    /// To be called under the lock of the state and that of the storage.
    package func recover() throws {
        try InterruptedWork(layout: layout, state: state, files: files).clear()
        try files.removeTree(state.appending("work"))
    }

    /// Proves a bundle to its last byte and checks that it fits this storage; changes nothing in the storage.
    package func verify(_ source: ArchiveSource) throws -> Report {
        let opened = try open(source)
        defer { try? files.removeTree(opened.work) }
        let plan = try prepare(opened, mayProbe: false)
        var cursor = try self.cursor(opened)
        let sink = StagingSink(stage: nil) { try Self.target(of: $0, in: &cursor) }
        try opened.reader.readFiles(into: sink)
        try sink.finish()
        var report = Report(result: .verified, descriptor: opened.bundle.tail.descriptor, keys: opened.bundle.keys)
        report.olderThan = try laterState(than: report.descriptor)
        report.newPackages = plan.newPackages
        report.rooms = plan.rooms
        report.withdrawn = try opened.reader.withdrawn()
        report.taken = plan.leaving
        return report
    }

    /// Imports a bundle.
    ///
    /// Running it again after any interruption completes it.
    ///
    /// - Parameters:
    ///   - details: what else is to be recorded of the import.
    ///   - proving: asked, with the import's number, whether what was brought is served, before the import is recorded as ended; what it
    ///     returns is recorded. What it throws is thrown, and the import has not ended then.
    /// - Throws: `BundleError` for damage, `BundleRefusal` for a bundle that is not trusted or does not fit: then the storage is as it was.
    ///   `Stopped` where it was told to end, with no lock left behind.
    ///   `FileSystemError`, `PackageLock.Busy`, `PackageApplier.Lost` while applying: each package is in its old or its new state.
    package func run(
        _ source: ArchiveSource, operatorName: String, sourceName: String, details: JSONObject = JSONObject(),
        proving: (Int64) throws -> JSONValue? = { _ in nil }
    ) throws -> Report {
        let began = patience.elapsed()
        let opened = try open(source)
        defer { try? files.removeTree(opened.work) }
        let descriptor = opened.bundle.tail.descriptor
        if try isHeld(opened) { return Report(result: .nothingToDo, descriptor: descriptor, keys: opened.bundle.keys) }
        let plan = try prepare(opened, mayProbe: true)
        let stage = try StageArea(layout: layout, bundle: descriptor.bundle)
        var cursor = try self.cursor(opened)
        let sink = StagingSink(stage: stage, announce: stageJournal.note, goOn: { try goOn(hasBegun: false) }) {
            try Self.target(of: $0, in: &cursor)
        }
        do {
            try opened.reader.readFiles(into: sink)
            try sink.finish()
            for root in sink.roots { try files.syncFileSystem(holding: root) }
        } catch {
            for root in sink.roots { try? files.removeTree(root) }
            throw error
        }
        defer { try? lockJournal.clear() }
        let staged = patience.elapsed()
        var report = try apply(
            opened, stage: stage, roots: sink.roots, plan: plan, operatorName: operatorName, sourceName: sourceName)
        try stageJournal.recover()
        let applied = patience.elapsed()
        let proof = try proving(report.importID ?? 0)
        var record = details
        record["counts"] = descriptor.counts.json
        record["service"] = proof
        if descriptor.counts.removed > 0 { record["removals"] = try removals(opened) }
        record["milliseconds"] = [
            "verify": .integer((staged - began) / 1_000_000), "apply": .integer((applied - staged) / 1_000_000),
            "service": .integer((patience.elapsed() - applied) / 1_000_000),
        ]
        try targets.keep(opened.reader.snapshotPath, of: descriptor.targetRoot)
        try ledger.finish(report.importID ?? 0, outcomes: report.outcomes, details: record, at: clock.now())
        report.newPackages = plan.newPackages
        report.rooms = plan.rooms
        report.withdrawn = try opened.reader.withdrawn()
        return report
    }

    /// A bundle whose leading frame was read.
    struct Opened {
        let bundle: TrustedBundle
        let reader: BundleReader
        let work: FilePath
    }

    struct Plan {
        var newPackages: [PackageName] = []
        /// What was found to be removed here.
        var removals: [PackageDelivery] = []
        /// The first of the tarballs that are to be taken away.
        var leaving: [StorePath] = []
        /// The physical storages they are in.
        var leavingFrom: Set<FilePath> = []
        var rooms: [Preflight.Room] = []
    }

    private func open(_ source: ArchiveSource) throws -> Opened {
        let verifier = BundleVerifier(
            trust: trust, ledger: ledger, destination: destination, allowsUnsigned: options.allowsUnsigned)
        let bundle = try verifier.verify(source)
        guard try files.status(of: layout.root)?.kind == .directory else {
            throw BundleRefusal.notAStorage("\"\(layout.root)\" is not a directory")
        }
        let work = state.appending("work")
        try files.removeTree(work)
        try files.createDirectories(work)
        do {
            let progress = self.progress
            let reader = try BundleReader(source: source, tail: bundle.tail, work: work) { progress("verifying", $0, $1) }
            _ = try reader.readLeading()
            return Opened(bundle: bundle, reader: reader, work: work)
        } catch {
            try? files.removeTree(work)
            throw error
        }
    }

    func cursor(_ opened: Opened) throws -> TargetCursor {
        guard let reader = try FileReader(opening: opened.reader.snapshotPath) else {
            throw FileSystemError("open", opened.reader.snapshotPath, .noSuchFileOrDirectory)
        }
        return try TargetCursor(reader)
    }

    /// Moves the cursor forward to a package; packages are asked for in order.
    private static func target(of package: PackageName, in cursor: inout TargetCursor) throws -> [FileName: SHA512Digest] {
        while let entry = try cursor.next() {
            if entry.package == package { return entry.files }
            if package < entry.package { break }
        }
        throw BundleError(.malformed, "\"\(package)\"", "the manifest carries it, and the target state does not hold it")
    }

    /// Whether this bundle was applied and all that it carries is still here.
    private func isHeld(_ opened: Opened) throws -> Bool {
        let descriptor = opened.bundle.tail.descriptor
        guard try ledger.imports().contains(where: { $0.bundle == descriptor.bundle && $0.state == .applied }) else { return false }
        let prerequisites = self.prerequisites(opened)
        if try !options.removesNothing && isNewest(descriptor) {
            var departures = try Departures(opened.reader.removed(), policy: options.policy)
            while let (_, leaving) = try departures.next() {
                guard try ledger.leaving(leaving.map(\.file), origin: descriptor.origin).isEmpty else { return false }
            }
        }
        var tarballs = try ManifestGroup(opened.reader.manifest(), packuments: false)
        var packuments = try ManifestGroup(opened.reader.packuments(), packuments: true)
        let pipeline = OrderedPipeline<[(package: PackageName, carried: [SnapshotFile])], Bool>(
            width: 2, window: 4,
            pull: {
                var batch: [(package: PackageName, carried: [SnapshotFile])] = []
                while batch.count < 64, let package = packuments.pending?.path.package {
                    batch.append((package, try tarballs.take(package) + packuments.take(package)))
                }
                return batch.isEmpty ? nil : batch
            }, transform: { try prerequisites.holds($0) })
        while let isHeld = try pipeline.next() {
            guard isHeld else { return false }
        }
        return true
    }

    private func prerequisites(_ opened: Opened) -> Prerequisites {
        Prerequisites(
            layout: layout, ledger: ledger, origin: opened.bundle.tail.descriptor.origin, acceptsRemovals: options.acceptsRemovals)
    }

    /// Checks the manifest against the target state, what is not carried against what is here, and whether there is room.
    private func prepare(_ opened: Opened, mayProbe: Bool) throws -> Plan {
        var plan = Plan()
        var tarballs = try ManifestGroup(opened.reader.manifest(), packuments: false)
        var packuments = try ManifestGroup(opened.reader.packuments(), packuments: true)
        let prerequisites = self.prerequisites(opened)
        var preflight = try Preflight(layout: layout, files: files, mayProbe: mayProbe)
        var cursor = try self.cursor(opened)
        var gap = BundleGap(descriptor: opened.bundle.tail.descriptor)
        var departures = try Departures(opened.reader.removed()) { _ in .delete }
        var departed = try departures.next()
        while let (package, target) = try cursor.next() {
            try goOn(hasBegun: false)
            while let (gone, files) = departed, !(package < gone) {
                if gone == package, let file = files.first(where: { target[$0.file.path.file] != nil }) {
                    throw BundleError(.malformed, "\"\(file.file.path)\"", "it is said to have left, and the target state holds it")
                }
                departed = try departures.next()
            }
            let carried = try tarballs.take(package) + packuments.take(package)
            for file in carried where target[file.path.file] != file.digest {
                throw BundleError(.malformed, "\"\(file.path)\"", "the target state does not hold it with that digest")
            }
            if !carried.isEmpty {
                guard carried.contains(where: { $0.path.file.isPackument }) else {
                    throw BundleError(.malformed, "\"\(package)\"", "its tarballs are carried without its packument")
                }
            }
            if try preflight.add(package, target: target.keys, carried: carried) { plan.newPackages.append(package) }
            let found = try prerequisites.check(package, target: target, carried: Set(carried.map(\.path.file)))
            for path in found.missing { gap.add(path, target[path.file]) }
            if gap.obstructions.count < BundleGap.namedLimit { gap.obstructions += found.obstructions }
            if !found.removed.isEmpty { plan.removals.append(PackageDelivery(package: package, files: found.removed)) }
        }
        if let file = tarballs.pending ?? packuments.pending {
            throw BundleError(.malformed, "\"\(file.path)\"", "the manifest carries it, and the target state does not hold it")
        }
        guard gap.count == 0 else {
            gap.unfinished = try ledger.openImport()?.bundle
            gap.newest = try ledger.newestSequence(of: gap.descriptor.origin)
            throw BundleRefusal.gap(gap)
        }
        try planRemovals(opened, &plan, &preflight)
        plan.rooms = try preflight.finish()
        return plan
    }

    /// Whether no later bundle of its origin was applied; only such a one may take anything away.
    private func isNewest(_ descriptor: BundleDescriptor) throws -> Bool { try laterState(than: descriptor) == nil }

    /// The sequence of the newest state of the origin that was applied, where it is later than the one a bundle leads to.
    func laterState(than descriptor: BundleDescriptor) throws -> Int64? {
        let newest = try ledger.newestSequence(of: descriptor.origin)
        return descriptor.sequence < newest ? newest : nil
    }

    private func planRemovals(_ opened: Opened, _ plan: inout Plan, _ preflight: inout Preflight) throws {
        let descriptor = opened.bundle.tail.descriptor
        guard try !options.removesNothing && isNewest(descriptor) else { return }
        var departures = try Departures(opened.reader.removed(), policy: options.policy)
        while let (package, files) = try departures.next() {
            let leaving = try ledger.leaving(files.map(\.file), origin: descriptor.origin)
            guard !leaving.isEmpty else { continue }
            plan.leaving += leaving.map(\.path)
            plan.leavingFrom.insert(layout.storageRoot(of: package))
            try preflight.addRemoval(of: package)
        }
    }

    /// What is recorded of what had left the origin: what was to be done with it, and the first of what upstream has withdrawn.
    private func removals(_ opened: Opened) throws -> JSONValue {
        let withdrawn = try opened.reader.withdrawn()
        return [
            "withdrawn": .string(options.withdrawn.rawValue), "removed": .string(options.removed.rawValue),
            "withdrawnFiles": .integer(withdrawn.count),
            "firstWithdrawn": .array(withdrawn.prefix(Self.namedLimit).map { .string($0.description) }),
        ]
    }
}
