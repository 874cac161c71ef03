import Activation
import Backups
import BundleFormat
import ImportLedger
import Integrity
package import PackageStore
import Platform
import Snapshots
import Staging
import Synchronization
import SystemPackage
import Verification

extension ImportPipeline {
    /// Brings what is staged into the storage, package by package, and records what became of it.
    func apply(
        _ opened: Opened, stage: StageArea, roots: Set<FilePath>, plan: Plan, operatorName: String, sourceName: String
    ) throws -> Report {
        let descriptor = opened.bundle.tail.descriptor
        var policy = PackumentMerge.Policy()
        policy.adoptsLocalPackages = options.adoptsLocalPackages
        policy.restoresRemoved = options.restoresRemoved
        let later = try laterState(than: descriptor)
        policy.addsOnly = later != nil
        // Where a stage is, something may be replaced; where something leaves, it is kept.
        var storages = plan.leavingFrom.union(roots.map { $0.removingLastComponent() }).sorted { $0.string < $1.string }
        let begun = try ledger.begin(
            descriptor, keys: opened.bundle.keys, operatorName: operatorName, source: sourceName,
            generationIn: storages.map(layout.subdirectory(of:)), at: clock.now())
        let id = begun.id
        if begun.isRepeated {
            let known = try ledger.generations().first { $0.import.id == id }?.subdirectories ?? []
            storages = Set(storages).union(known.map(layout.storageRoot(ofSubdirectory:))).sorted { $0.string < $1.string }
        }
        let generation = Generation(
            GenerationName(import: id, started: begun.started, bundle: descriptor.bundle), layout: layout,
            owner: stage.ownership(files), files: files)
        try generation.open(in: storages, import: id, bundle: descriptor.bundle, origin: descriptor.origin)
        let applier = PackageApplier(
            layout: layout, stage: stage, ledger: ledger, origin: descriptor.origin, policy: policy, files: files, clock: clock,
            patience: patience, journal: lockJournal, generation: generation)
        var report = Report(result: .applied, descriptor: descriptor, keys: opened.bundle.keys)
        report.importID = id
        report.olderThan = later
        try ledger.record(plan.removals, origin: descriptor.origin, import: id)
        var batches = try ImportBatches(opened.reader, cursor: cursor(opened), limit: options.batchLimit)
        let applied = AppliedPackages(of: descriptor.counts.packages) { [progress] in progress("applying", $0, $1) }
        let workers = WorkerPool<(place: Int, task: ImportBatches.Task, view: AppliedView, past: PackageApplier.Past)>(
            width: options.width, window: .max
        ) { item in
            let task = item.task
            try goOn(hasBegun: true)
            applied.add(
                try applier.apply(task.package, target: task.target, carried: task.carried, view: item.view, past: item.past),
                at: item.place)
        }
        // While a batch is applied, the one before it is recorded and the one after it is announced.
        var done: [PackageApplier.Result] = []
        var announced = try announce(batches.next(), descriptor.origin, begun)
        while let batch = announced {
            for (place, item) in batch.enumerated() { try workers.push((place, item.task, item.view, item.past)) }
            try record(done, roots: roots, descriptor.origin, import: id, &report)
            announced = try announce(batches.next(), descriptor.origin, begun)
            try workers.finish()
            done = applied.take()
        }
        try record(done, roots: roots, descriptor.origin, import: id, &report)
        if !plan.leaving.isEmpty { try remove(opened, generation: generation, stage: stage, import: id, &report) }
        report.outcomes.merge(try ledger.takenCounts(by: id)) { $1 }
        try generation.seal(in: storages)
        return report
    }

    /// Records what is meant to be given before it is, so that a crash in between cannot make it look local; `nil` at the end.
    private func announce(
        _ tasks: [ImportBatches.Task], _ origin: Identifier, _ begun: BegunImport
    ) throws -> [(task: ImportBatches.Task, view: AppliedView, past: PackageApplier.Past)]? {
        guard !tasks.isEmpty else { return nil }
        let intended = tasks.map { task in
            PackageDelivery(
                package: task.package,
                files: task.carried.filter { !$0.path.file.isPackument }.map {
                    DeliveryRecord(path: $0.path, digest: $0.digest, version: $0.version, size: $0.size, outcome: .intended)
                })
        }
        let packages = tasks.map(\.package)
        let absent = try packages.filter { try files.status(of: layout.directory(of: $0)) == nil }
        try ledger.record(intended, origin: origin, import: begun.id, fresh: absent)
        let views = try ledger.views(of: packages, origin: origin)
        let fresh = begun.isRepeated ? try ledger.fresh(among: packages, import: begun.id) : []
        return tasks.map { task in
            let past: PackageApplier.Past =
                !begun.isRepeated ? .nothing : fresh.contains(task.package) ? .mayHavePlaced : .mayHaveMerged
            return (task, views[task.package] ?? .empty, past)
        }
    }

    /// Records what packages became, once a power cut cannot undo it.
    private func record(
        _ results: [PackageApplier.Result], roots: Set<FilePath>, _ origin: Identifier, import id: Int64, _ report: inout Report
    ) throws {
        guard !results.isEmpty else { return }
        for root in roots { try files.syncFileSystem(holding: root) }
        for result in results { try prove(result.delivery) }
        try ledger.record(results.map(\.delivery), origin: origin, import: id)
        for result in results {
            for refusal in result.refusals { report.refusals.append("\(refusal.subject): \(refusal.reason)") }
            for file in result.delivery.files { report.outcomes[file.outcome.rawValue, default: 0] += 1 }
        }
    }
}

extension ImportPipeline {
    /// A packument that something else replaced right after a package had come: a registry that was creating the package just then.
    ///
    /// The tarballs are there. The same import, run again, completes it.
    package struct Overwritten: Error, CustomStringConvertible {
        package let package: PackageName

        package var description: String { "\(package) was published while it came, and its packument does not name what came any more" }
    }

    private func prove(_ delivery: PackageDelivery) throws {
        let directory = layout.directory(of: delivery.package)
        guard let applied = delivery.form?.applied.identity,
            try files.status(of: directory.appending("package.json"))?.identity != applied
        else { return }
        let brought = delivery.files.filter { $0.outcome == .added }.compactMap(\.version)
        guard try files.declares(brought, in: directory, of: delivery.package) else { throw Overwritten(package: delivery.package) }
    }
}

/// What packages became, as threads say it, and how far they are.
private final class AppliedPackages: Sendable {
    private let state = Mutex<(done: Int64, results: [Int: PackageApplier.Result])>((0, [:]))
    private let count: Int64
    private let progress: @Sendable (Int64, Int64) -> Void

    init(of count: Int, progress: @escaping @Sendable (Int64, Int64) -> Void) {
        self.count = Int64(count)
        self.progress = progress
    }

    /// Takes the result of a package at that place of its batch.
    func add(_ result: PackageApplier.Result, at place: Int) {
        state.withLock { state in
            state.results[place] = result
            state.done += 1
            progress(state.done, count)
        }
    }

    /// Hands out what has come, in the order of places.
    func take() -> [PackageApplier.Result] {
        state.withLock { state in
            defer { state.results = [:] }
            return state.results.sorted { $0.key < $1.key }.map(\.value)
        }
    }
}
