import Activation
import Backups
import BundleFormat
import ImportLedger
import Integrity
import PackageStore
import Platform
import Snapshots
import Staging
import SystemPackage
import Verification

extension ImportPipeline {
    /// Takes away what has left its origin, as far as it is this origin's to say.
    func remove(
        _ opened: Opened, generation: Generation, stage: StageArea, import id: Int64, _ report: inout Report
    ) throws {
        let origin = opened.bundle.tail.descriptor.origin
        let remover = PackageRemover(
            layout: layout, generation: generation, stage: stage, files: files, clock: clock, patience: patience, journal: lockJournal)
        var departures = try Departures(opened.reader.removed(), policy: options.policy)
        var isOver = false
        while !isOver {
            var batch: [PackageRemover.Task] = []
            while batch.count < options.batchLimit {
                guard let (package, files) = try departures.next() else {
                    isOver = true
                    break
                }
                let policies = Dictionary(files.map { ($0.file.path, $0.policy) }, uniquingKeysWith: { first, _ in first })
                let leaving = try ledger.leaving(files.map(\.file), origin: origin)
                guard !leaving.isEmpty else { continue }
                batch.append(PackageRemover.Task(package: package, files: leaving.map { ($0, policies[$0.path] ?? .keep) }))
            }
            try ledger.noteLeaving(batch.flatMap { $0.files.map(\.file) }, origin: origin, import: id)
            let roots = Set(batch.map { layout.storageRoot(of: $0.package) })
            for root in roots { try stageJournal.note(stage.root(in: root)) }
            var left: [(file: LeavingFile, outcome: VersionOutcome?)] = []
            var gone: [PackageName] = []
            for task in batch {
                let result = try remover.remove(task)
                left += task.files.map { ($0.file, result.outcomes[$0.file.path.file]) }
                if result.isGone { gone.append(task.package) }
                report.taken += result.outcomes.keys.sorted().map { StorePath(task.package, $0) }
                report.lost += result.tags.map { "\(task.package): the tag \"\($0.name)\" was put on \($0.version) here" }
                if let refusal = result.refusal { report.refusals.append("\(task.package): \(refusal)") }
                if let aside = result.aside {
                    report.lost.append("\(task.package): files that no version named were put aside in \"\(aside)\"")
                }
            }
            // The ledger says what is done only once it cannot be undone by a power cut.
            for root in roots { try files.syncFileSystem(holding: root) }
            try ledger.recordLeft(left, gone: gone, origin: origin, import: id)
        }
    }
}
