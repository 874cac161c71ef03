import Activation
import ArgumentParser
import Backups
import CanonicalJSON
import ImportLedger
import PackageStore
import Platform
import Rollbacks
import SystemPackage
import Terminal

struct Quarantine: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine",
        abstract: "List the versions that imports have put aside, and let them back.",
        subcommands: [List.self, Release.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List what is in quarantine.",
            discussion: """
                A version that has left its origin is put into .ferry-quarantine of the storage where "init" or "import" says so \
                (--withdrawn, --removed). Nobody can install it from there.
                """)

        @OptionGroup var storage: StorageOptions
        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                let keeper = QuarantineKeeper(layout: try storage.layout(), state: try state.directory(), ledger: try state.ledger())
                for (entry, record) in try keeper.list() { try show(entry, record) }
                for path in try keeper.damage() {
                    Terminal.say("warning: \"\(path)\" is not what was put in quarantine; what lies with it stays, and is not released")
                }
            }
        }

        private func show(_ entry: QuarantineArea.Entry, _ record: ImportRecord?) throws {
            guard state.json else {
                let whence = record.map { "import \($0.id), \($0.started), \($0.label) #\($0.sequence)" } ?? "of another ledger"
                return try Terminal.output("\(entry.package)@\(entry.version.version)  \(Terminal.bytes(entry.size))  \(whence)")
            }
            let value: JSONValue = [
                "package": .string(entry.package.text), "version": .string(entry.version.version.text),
                "file": .string(entry.version.file.text), "bytes": .integer(entry.size), "path": .string(entry.path.string),
                "import": record.map { .integer($0.id) } ?? .null, "generation": .string(entry.generation.text),
            ]
            try Terminal.output(value.canonicalBytes + [0x0A])
        }
    }

    struct Release: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "release",
            abstract: "Let versions back into the storage.",
            discussion: """
                They are local from then on: no import touches them any more. Tags that were taken with them come back where none of that name \
                stands, "latest" stays where it is. What cannot be released is named and keeps nothing else back. Interrupted at any moment, the same command completes the work.
                """)

        @Argument(help: ArgumentHelp("Versions, or packages for all that is in quarantine of them.", valueName: "package[@version]"))
        var subjects: [String]
        @OptionGroup var storage: StorageOptions
        @OptionGroup var state: StateOptions

        func validate() throws {
            guard !subjects.isEmpty else { throw ValidationError("name what is to be released") }
            for text in subjects where History.subject(text) == nil {
                throw ValidationError("\"\(text)\" names no package and no version of one")
            }
        }

        func run() throws {
            try reporting {
                let ledger = try state.ledger()
                let layout = try storage.layout()
                try locked(state, layout, work: "quarantine release") {
                    try InterruptedWork(layout: layout, state: state.directory(), files: DiskFileSystem()).clear()
                    try completeRollback(layout, state, ledger)
                    let keeper = QuarantineKeeper(layout: layout, state: try state.directory(), ledger: ledger)
                    var refusals: [QuarantineKeeper.Refusal] = []
                    for (package, version) in subjects.compactMap(History.subject) {
                        do {
                            let released = try keeper.release(
                                package, version, operatorName: operatorName(), details: runDetails(layout))
                            try show(package, released.versions, released.entries)
                        } catch let refusal as QuarantineKeeper.Refusal {
                            refusals.append(refusal)
                        }
                    }
                    for refusal in refusals.dropLast() { Terminal.say("refused: \(refusal)") }
                    if let last = refusals.last { throw last }
                }
            }
        }

        private func show(_ package: PackageName, _ versions: [PackageVersion], _ entries: [Int64]) throws {
            guard state.json else {
                return try Terminal.output("\(package): \(versions.map(\.text).joined(separator: ", ")) released")
            }
            let value: JSONValue = [
                "event": "result", "package": .string(package.text), "versions": .array(versions.map { .string($0.text) }),
                "entries": .array(entries.map { .integer($0) }),
            ]
            try Terminal.output(value.canonicalBytes + [0x0A])
        }
    }
}
