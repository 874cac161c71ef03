import Activation
import ArgumentParser
import CanonicalJSON
import ImportLedger
import PackageStore
import Platform
import Rollbacks
import Snapshots
import SystemPackage
import Terminal

struct Rollback: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Undo an import.",
        discussion: """
            Takes away what the import brought and puts back what it changed, as far as that is still as the import left it. What was \
            published, tagged or imported since stays, whichever import it is. Where more would be lost than the import brought, nothing is \
            done unless it is accepted. Verdaccio may go on serving and receiving. Interrupted at any moment, the same command completes \
            the work. Afterwards the same bundle can be imported again.
            """)

    @Argument(help: "The import's number, as \"history\" shows it.") var id: Int64
    @Flag(help: "Say what would go and what would be lost, and change nothing.") var dryRun = false
    @Flag(help: "Go on where more is lost than the import brought.") var acceptLosses = false
    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions

    func run() throws {
        try reporting {
            let ledger = try state.ledger()
            let layout = try storage.layout()
            state.announceProgress()
            let line = ProgressLine("rolling back", unit: .items("packages"))
            let rollback = Rollbacks.Rollback(layout: layout, state: try state.directory(), ledger: ledger) { line.update($0, of: $1) }
            let words = "each package is as it was, or as it is to be; the same command completes the work"
            try Interruption.leaving(with: "ferry-offline: ended before all of it was undone; \(words)") {
                try locked(state, dryRun ? nil : layout, work: "rollback") {
                    guard !dryRun else { return try rollback.plan(id).show(json: state.json) }
                    try InterruptedWork(layout: layout, state: state.directory(), files: DiskFileSystem()).clear()
                    let report = try rollback.run(
                        id, operatorName: operatorName(), details: runDetails(layout), acceptsLosses: acceptLosses)
                    line.finish()
                    try report.show(json: state.json)
                }
            }
        }
    }
}

/// Completes a rollback that was interrupted, before anything else is done.
func completeRollback(_ layout: StorageLayout, _ state: StateOptions, _ ledger: Ledger) throws {
    let rollback = Rollbacks.Rollback(layout: layout, state: try state.directory(), ledger: ledger)
    guard let report = try rollback.recover(operatorName: operatorName(), details: runDetails(layout)) else { return }
    Terminal.say("completed the rollback of import \(report.record.id), which had been interrupted")
}

extension Rollbacks.Rollback.Report {
    /// Tells people, or machines, what goes or went.
    fileprivate func show(json: Bool) throws {
        if json { return try Terminal.output(self.json.canonicalBytes + [0x0A]) }
        for result in packages {
            let versions = result.versions.map(\.text).joined(separator: ", ")
            let words =
                result.refusal ?? (result.isGone ? "the whole package goes: \(versions)" : versions.isEmpty ? "" : "\(versions) go")
            let back = result.returned.map { $0.version?.text ?? $0.path.file.text }.joined(separator: ", ")
            let packument = result.isExact ? "its packument is again what it was" : result.isChanged ? "its packument is written anew" : ""
            try Terminal.output(
                "\(result.package): \([words, back.isEmpty ? "" : "\(back) come back", packument].filter { !$0.isEmpty }.joined(separator: "; "))"
            )
            for obstruction in result.obstructions {
                Terminal.say("warning: \(obstruction); it \(result.aside == nil ? "stays: move it away" : "is not the import's")")
            }
            if let aside = result.aside { Terminal.say("warning: files that the import had not brought were put aside in \"\(aside)\"") }
        }
        for path in staying { Terminal.say("stays, since it was given otherwise, too: \(path)") }
        for loss in losses { Terminal.say("lost: \(loss)") }
        let counts =
            "\(removedTarballs) tarballs, \(gonePackages) whole packages, \(changedPackuments) packuments written"
            + (returnedTarballs > 0 ? ", \(returnedTarballs) tarballs come back" : "")
        let name = "import \(record.id) (\(record.label) #\(record.sequence))"
        try Terminal.output(id == nil ? "\(name) would be undone: \(counts); nothing was changed" : "\(name) is undone: \(counts)")
    }

    private var json: JSONValue {
        [
            "event": "result", "import": .integer(record.id), "rollback": id.map { .integer($0) } ?? .null,
            "bundle": .string(record.bundle.text),
            "packages": .array(
                packages.map { result in
                    [
                        "package": .string(result.package.text), "versions": .array(result.versions.map { .string($0.text) }),
                        "returned": .array(result.returned.map { .string($0.path.file.text) }),
                        "tarballs": .array(result.removed.sorted().map { .string($0.text) }), "gone": .bool(result.isGone),
                        "packument": .string(result.isExact ? "restored" : result.isChanged ? "written" : "kept"),
                        "losses": .array(result.losses.map { .string($0.description) }),
                        "refusal": result.refusal.map { .string($0) } ?? .null, "aside": result.aside.map { .string($0) } ?? .null,
                        "obstructions": .array(result.obstructions.map { .string($0.path.string) }),
                    ]
                }),
            "staying": .array(staying.map { .string($0.description) }), "losses": .array(losses.map { .string($0) }),
            "later": .array(later.map { .integer($0.id) }),
        ]
    }
}
