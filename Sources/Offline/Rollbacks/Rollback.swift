package import Activation
import Backups
package import CanonicalJSON
package import ImportLedger
package import PackageStore
package import Platform
import Staging
package import SystemPackage

/// Undoes an import: an inverse merge under Verdaccio's locks, not a restored copy (DESIGN §5).
///
/// Only what the import brought goes, and only what is still as it left it goes back. What was published, tagged or imported since stays.
package struct Rollback: Sendable {
    /// What would be done, or was.
    package struct Report: Sendable {
        /// The import.
        package let record: ImportRecord
        /// The number of the rollback; `nil` where nothing was done.
        package var id: Int64?
        /// What became of each package that is affected, or cannot be.
        package var packages: [PackageReverter.Result] = []
        /// Tarballs that the import brought and that stay, since something else would have brought them.
        package var staying: [StorePath] = []
        /// The imports of the same origin since, which may build upon what goes.
        package var later: [ImportRecord] = []

        package var removedTarballs: Int { packages.reduce(0) { $0 + $1.removed.count } }
        package var returnedTarballs: Int { packages.reduce(0) { $0 + $1.returned.count } }
        package var gonePackages: Int { packages.count(where: \.isGone) }
        package var changedPackuments: Int { packages.count(where: \.isChanged) }
        package var refusals: [String] { packages.compactMap { result in result.refusal.map { "\(result.package): \($0)" } } }

        /// What is lost beside what the import brought, in words.
        package var losses: [String] {
            var words = packages.flatMap { result in result.losses.map { "\(result.package): \($0)" } }
            if removedTarballs > 0 {
                words += later.map { "import \($0.id) (\($0.label) #\($0.sequence)) came after it and may build upon what goes" }
            }
            return words
        }
    }

    private let layout: StorageLayout
    private let state: FilePath
    private let ledger: Ledger
    private let clock: WallClock
    private let files: any FileSystem
    private let patience: PackageLock.Patience
    /// Told how far it is: packages done, all of them.
    private let progress: @Sendable (Int64, Int64) -> Void
    /// Packages between two syncs.
    private static let batchLimit = 512

    package init(
        layout: StorageLayout, state: FilePath, ledger: Ledger, clock: WallClock = .system, files: any FileSystem = DiskFileSystem(),
        patience: PackageLock.Patience = PackageLock.Patience(), progress: @escaping @Sendable (Int64, Int64) -> Void = { _, _ in }
    ) {
        self.layout = layout
        self.state = state
        self.ledger = ledger
        self.clock = clock
        self.files = files
        self.patience = patience
        self.progress = progress
    }

    /// Says what undoing an import would do now; changes nothing.
    ///
    /// - Throws: `RollbackRefusal`, `GenerationError`.
    package func plan(_ id: Int64) throws -> Report {
        let work = try open(id)
        var report = Report(record: work.record, later: try ledger.imports(after: id))
        for package in work.packages {
            let task = try self.task(package, work)
            report.staying += task.otherwiseGiven.sorted().map { StorePath(package, $0) }
            let result = try work.reverter.plan(task)
            if result.isAffected || result.refusal != nil { report.packages.append(result) }
        }
        return report
    }

    /// Undoes an import.
    ///
    /// Running it again after any interruption completes it.
    ///
    /// - Parameters:
    ///   - details: what else is to be recorded of it.
    ///   - acceptsLosses: go on where something is lost that the import did not bring.
    /// - Throws: `RollbackRefusal`, `GenerationError`: then nothing was changed. `FileSystemError`, `PackageLock.Busy` on the way: each
    ///   package is as it was, or as it will be.
    package func run(
        _ id: Int64, operatorName: String, details: JSONObject = JSONObject(), acceptsLosses: Bool
    ) throws -> Report {
        if let open = try ledger.openRollback(), open.undoes != id { throw RollbackRefusal.unfinished(open.undoes ?? 0) }
        let work = try open(id)
        var report = Report(record: work.record)
        if work.record.state != .rollingBack, !acceptsLosses {
            let losses = try plan(id).losses
            guard losses.isEmpty else { throw RollbackRefusal.losses(losses) }
        }
        report.later = try ledger.imports(after: id)
        let rollback = try ledger.beginRollback(of: work.record, operatorName: operatorName, at: clock.now())
        report.id = rollback
        let journal = StageJournal(ofState: state, files: files)
        for storage in work.storages { try journal.note(work.stage.root(in: storage)) }
        defer { try? LockJournal(ofState: state, files: files).clear() }
        var done: Int64 = 0
        for start in stride(from: 0, to: work.packages.count, by: Self.batchLimit) {
            var undone: [PackageUndoing] = []
            var returned: [(PackageReverter.Task, PackageReverter.Result)] = []
            for package in work.packages[start..<min(start + Self.batchLimit, work.packages.count)] {
                let task = try self.task(package, work)
                report.staying += task.otherwiseGiven.sorted().map { StorePath(package, $0) }
                let result = try work.reverter.revert(task)
                if result.isAffected || result.refusal != nil { report.packages.append(result) }
                if !result.returned.isEmpty { returned.append((task, result)) }
                if result.refusal == nil {
                    undone.append(
                        PackageUndoing(
                            package: package, removed: result.absent, returned: result.returned,
                            isLeft: !result.isGone && !result.wasAbsent))
                }
                done += 1
                progress(done, Int64(work.packages.count))
            }
            // The ledger says what is done only once it cannot be undone by a power cut.
            for storage in work.storages { try files.syncFileSystem(holding: storage) }
            for (task, result) in returned { try work.reverter.prove(task, result) }
            try ledger.record(undone, of: work.record, rollback: rollback)
        }
        try journal.recover()
        guard report.refusals.isEmpty else { throw RollbackRefusal.damagedPackages(report.refusals) }
        var outcomes = ["undone": report.removedTarballs, "packuments": report.changedPackuments, "packages": report.gonePackages]
        if report.returnedTarballs > 0 { outcomes["returned"] = report.returnedTarballs }
        try ledger.finishRollback(rollback, of: work.record, outcomes: outcomes, details: details, at: clock.now())
        // It is of no more use; one that cannot be removed now goes before the next import.
        try? GenerationKeeper(layout: layout, ledger: ledger, files: files).recover()
        return report
    }

    /// Completes a rollback that was interrupted; returns what it did.
    ///
    /// To be called under the lock of the state and that of the storage, after `InterruptedWork.clear`.
    package func recover(operatorName: String, details: JSONObject = JSONObject()) throws -> Report? {
        guard let id = try ledger.openRollback()?.undoes else { return nil }
        return try run(id, operatorName: operatorName, details: details, acceptsLosses: true)
    }

    /// An import that is looked at to be undone.
    private struct Work {
        let record: ImportRecord
        let storages: [FilePath]
        let generation: Generation
        let stage: StageArea
        let reverter: PackageReverter
        /// What it touched, in order.
        let packages: [PackageName]
    }

    private func open(_ id: Int64) throws -> Work {
        guard let record = try ledger.entry(id) else { throw RollbackRefusal.noSuchImport(id) }
        guard record.kind == .import || record.kind == .adoption else { throw RollbackRefusal.notAnImport(id) }
        guard record.state != .rolledBack else { throw RollbackRefusal.doneBefore(id) }
        guard let subdirectories = try ledger.generations().first(where: { $0.import.id == id })?.subdirectories else {
            throw RollbackRefusal.nothingKept(id)
        }
        let storages = subdirectories.map(layout.storageRoot(ofSubdirectory:))
        let name = record.generationName
        guard try GenerationStore(storages: storages, files: files).contains(name) else { throw GenerationError.gone(name.text) }
        let stage = try StageArea(layout: layout, bundle: record.bundle)
        let generation = Generation(
            name, layout: layout,
            owner: stage.ownership(files), files: files)
        let reverter = PackageReverter(
            layout: layout, generation: generation, stage: stage, files: files, clock: clock, patience: patience,
            journal: LockJournal(ofState: state, files: files))
        let packages = Set(try ledger.packages(changedBy: id)).union(try generation.packages(in: storages)).sorted()
        return Work(
            record: record, storages: storages, generation: generation, stage: stage, reverter: reverter, packages: packages)
    }

    private func task(_ package: PackageName, _ work: Work) throws -> PackageReverter.Task {
        let id = work.record.id
        let changes = try ledger.changes(by: id, of: package)
        var owned = changes.filter(\.isOwned)
        var intended = work.record.finished == nil ? changes.filter { $0.outcome == .intended } : []
        if !intended.isEmpty {
            // What an interrupted import meant to bring, it may have brought, or it may have been here before.
            let brought = try work.generation.brought(
                package, carried: Set(intended.map(\.path.file)), wasAbsent: ledger.fresh(among: [package], import: id).contains(package))
            owned += intended.filter { brought.contains($0.path.file) }
            intended.removeAll { brought.contains($0.path.file) }
        }
        let staying = try owned.isEmpty ? [] : ledger.otherwiseGiven(package, beside: id)
        return PackageReverter.Task(
            package: package, owned: owned, intended: intended, otherwiseGiven: staying.intersection(owned.map(\.path.file)),
            imported: try ledger.form(of: package, origin: work.record.origin), taken: try ledger.taken(by: id, of: package))
    }
}

/// Why an import is not undone.
///
/// Nothing was changed, except where it says so.
package enum RollbackRefusal: Error, Sendable, CustomStringConvertible {
    case noSuchImport(Int64)
    /// The number is that of a rollback.
    case notAnImport(Int64)
    case doneBefore(Int64)
    /// Its generation was let go, or it was made before there were any.
    case nothingKept(Int64)
    /// Another rollback did not end.
    case unfinished(Int64)
    /// Something would be lost that the import did not bring.
    case losses([String])
    /// Packuments that cannot be read; everything else was undone.
    case damagedPackages([String])

    /// Whether nothing was changed.
    package var isComplete: Bool {
        if case .damagedPackages = self { false } else { true }
    }

    package var description: String {
        switch self {
        case .noSuchImport(let id): "there is no import \(id)"
        case .notAnImport(let id): "\(id) is no import"
        case .doneBefore(let id): "import \(id) was rolled back before"
        case .nothingKept(let id): "of import \(id) nothing is kept that it could be undone by"
        case .unfinished(let id): "the rollback of import \(id) did not end"
        case .losses(let losses):
            "more would be lost than the import brought: \(losses.prefix(5).joined(separator: "; "))"
                + (losses.count > 5 ? "; and \(losses.count - 5) more" : "")
        case .damagedPackages(let packages): "some packages could not be undone: \(packages.joined(separator: "; "))"
        }
    }
}
