import ArgumentParser
import Backups
import CanonicalJSON
import ImportLedger
import Platform
import Rollbacks
import Terminal

struct Generations: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generations",
        abstract: "Say what imports have kept to be undone by, and let old ones go.",
        subcommands: [List.self, Prune.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the generations, oldest first.",
            discussion: """
                A generation lies in .ferry-backups of the storage: each packument that the import replaced, as it stood and as it was \
                written, and each tarball that was replaced. "ferry-offline rollback ID" undoes the import by it.
                """)

        @OptionGroup var storage: StorageOptions
        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                let keeper = GenerationKeeper(layout: try storage.layout(), ledger: try state.ledger())
                for entry in try keeper.list() { try entry.show(json: state.json) }
            }
        }
    }

    struct Prune: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "prune",
            abstract: "Remove the generations that no limit keeps.",
            discussion: """
                Without a limit, those of "init" count. With both, the newest COUNT stay whatever their age, and older ones as long as their \
                DAYS last. An age is counted up to when the newest bundle that was imported was made, by the clock of its origin: a clock \
                here that is ahead makes nothing older. An import whose generation is gone cannot be undone any more; what it brought \
                stays. The generation of an import that did not end is never removed.
                """)

        @Option(help: ArgumentHelp("Keep so many, the newest, whatever their age.", valueName: "count")) var keep: Int?
        @Option(help: ArgumentHelp("Keep those that are no older.", valueName: "days")) var maxAge: Int?
        @Flag(help: "Say what would go, and remove nothing.") var dryRun = false
        @OptionGroup var storage: StorageOptions
        @OptionGroup var state: StateOptions

        func validate() throws { try validateRetention(keep, maxAge) }

        func run() throws {
            try reporting {
                let ledger = try state.ledger()
                let layout = try storage.layout()
                var retention = Retention(count: keep, days: maxAge)
                if keep == nil, maxAge == nil { (retention.count, retention.days) = try ledger.retention() }
                guard retention.count != nil || retention.days != nil else {
                    throw ValidationError("say which may go: --keep COUNT, --max-age DAYS, or limits at \"ferry-offline init\"")
                }
                try locked(state, layout, work: "generations prune") {
                    let keeper = GenerationKeeper(layout: layout, ledger: ledger)
                    try keeper.recover()
                    for entry in try keeper.prune(retention, now: WallClock.system.now(), isDryRun: dryRun) {
                        try entry.show(json: state.json)
                    }
                    if dryRun { Terminal.say("nothing was removed") }
                }
            }
        }
    }
}

/// Refuses limits that would mean nothing.
func validateRetention(_ count: Int?, _ days: Int?) throws {
    if let count, count < 0 { throw ValidationError("\(count) generations cannot be kept") }
    if let days, days < 0 { throw ValidationError("\(days) is no age in days") }
}

extension GenerationKeeper.Entry {
    /// What is to be said of it, in a word.
    private var word: String {
        guard let record else { return "of another ledger" }
        guard summary != nil else { return "not in this storage" }
        switch record.state {
        case .applying: return "its import did not end"
        case .applied: return "can be rolled back"
        case .rollingBack: return "its rollback did not end"
        case .rolledBack: return "was rolled back"
        }
    }

    /// Prints a line.
    func show(json: Bool) throws {
        if json {
            let value: JSONValue = [
                "generation": .string(name.text), "import": record.map { .integer($0.id) } ?? .null,
                "started": record.map { .string($0.started.description) } ?? .null, "usable": .bool(isUsable),
                "packuments": summary.map { .integer($0.packuments) } ?? .null, "tarballs": summary.map { .integer($0.tarballs) } ?? .null,
                "bytes": summary.map { .integer($0.bytes) } ?? .null,
            ]
            try Terminal.output(value.canonicalBytes + [0x0A])
            return
        }
        let content = summary.map { "\($0.packuments) packuments, \($0.tarballs) tarballs, \(Terminal.bytes($0.bytes))" } ?? "nothing"
        try Terminal.output("\(record.map { "\($0.id)" } ?? "-")  \(name)  \(content)  \(word)")
    }
}
