import ArgumentParser
import CanonicalJSON
import Catalog
import Databases
import Integrity
import Jobs
import Platform
import Settings
import Snapshots
import SystemPackage
import Terminal
import Upkeep

struct Prune: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove old snapshots, bundles and logs, and what nothing names any more.",
        discussion: """
            Removes what passes a limit of the settings (retention.snapshots, retention.artifacts, retention.logs: by count, age and size, \
            the oldest first), what killed runs have left, and transfer forms that neither a snapshot nor the last scan names. Never removed \
            are the newest snapshot; the snapshots that the last three bundles of a destination lead to or build upon, and those that a \
            kept bundle leads to; the newest bundle of each destination; logs that were written to in the last day; and quarantined files.

            By default only logs have limits. A bundle whose archive was removed stays in the list and can be made again while its \
            snapshots are there. Interrupted, it is simply run again.

              ferry-online prune --dry-run
              ferry-online config show             (the limits, and where they come from)

            Exit codes: 0 done, or nothing to do · 1 failed · 11 locked by another process · 64 wrong usage · 78 settings that cannot be used.
            """)

    @Flag(help: "List what would be removed, and change nothing.") var dryRun = false
    @OptionGroup var state: StateOptions

    func run() async throws {
        // A disk that is full is when this is needed most.
        try await state.job(.retention, ["dryRun": dryRun ? true : nil], needingRoom: false) {
            let settings = try state.settings()
            let directory = try state.directory(needingRoom: false)
            let pruner = Pruner(
                state: directory,
                limits: Pruner.Limits(snapshots: settings.snapshots, artifacts: settings.artifacts, logs: settings.logs))
            let catalog = try openCatalog(makingRoomWith: pruner)
            let plan = try pruner.plan(catalog)
            try show(plan, below: directory)
            if !dryRun, !plan.isEmpty {
                let line = ProgressLine("removing", unit: .items("items"))
                try pruner.run(plan, catalog, progress: { line.update(Int64($0), of: Int64($1)) })
                line.finish()
            }
            return JobReport(
                reason: plan.isEmpty
                    ? "there was nothing to remove"
                    : "\(plan.items.count) items and \(plan.forms.count) transfer forms, \(Terminal.bytes(plan.bytes))"
                        + (dryRun ? ", would be removed" : ""),
                json: plan.json(dryRun: dryRun).sums)
        }
    }

    /// The catalog; on a disk that is too full for it, old logs go first, for which nobody needs to be asked.
    private func openCatalog(makingRoomWith pruner: Pruner) throws -> Catalog {
        func open() throws -> Catalog? {
            do { return try state.catalog() } catch is FileSystemSpace.Full { return nil } catch DatabaseFileError.noSpace { return nil }
        }
        if let catalog = try open() { return catalog }
        let logs = try pruner.logPlan()
        if !dryRun {
            try pruner.run(logs, nil)
            Terminal.say("the disk is too full to go on; \(logs.items.count) old logs were removed first, \(Terminal.bytes(logs.bytes))")
        }
        return try state.catalog()
    }

    private func show(_ plan: PrunePlan, below directory: FilePath) throws {
        if state.json { return try Terminal.output(plan.json(dryRun: dryRun).canonicalBytes + [0x0A]) }
        for item in plan.items { try Terminal.output(item.line(below: directory)) }
        if !plan.forms.isEmpty {
            let bytes = plan.forms.reduce(0) { $0 + $1.bytes }
            try Terminal.output(
                "forms     \(plan.forms.count) transfer forms  \(Terminal.bytes(bytes))  no snapshot and no scan names them")
        }
        for spared in plan.spared { Terminal.say("kept: snapshot \(spared.snapshot), \(spared.reason)") }
        Terminal.say(
            plan.isEmpty ? "there is nothing to remove" : "\(Terminal.bytes(plan.bytes)) \(dryRun ? "would be free" : "are to be freed")")
    }
}

extension PrunePlan.Item {
    private var word: String {
        switch kind {
        case .log: "log"
        case .artifact: "bundle"
        case .snapshot: "snapshot"
        case .leftover: "leftover"
        }
    }

    /// The item in one line.
    fileprivate func line(below directory: FilePath) -> String {
        var path = path
        _ = path.removePrefix(directory)
        let word = word + String(repeating: " ", count: 8 - word.count)
        return "\(word)  \(path)  \(Terminal.bytes(bytes))  \(reason)"
    }

    fileprivate var json: JSONValue {
        ["kind": .string(word), "path": .string(path.string), "sizeBytes": .integer(bytes), "reason": .string(reason)]
    }
}

extension PrunePlan {
    /// What `--json` prints of a prune.
    fileprivate func json(dryRun: Bool) -> JSONValue {
        let forms: [JSONValue] = forms.map { ["sha512": .string($0.digest.hex), "sizeBytes": .integer($0.bytes)] }
        let kept: [JSONValue] = spared.map { ["snapshot": .string($0.snapshot.text), "reason": .string($0.reason)] }
        return [
            "dryRun": .bool(dryRun), "items": .array(items.map(\.json)), "forms": .array(forms), "kept": .array(kept),
            "freedBytes": .integer(bytes),
        ]
    }
}
