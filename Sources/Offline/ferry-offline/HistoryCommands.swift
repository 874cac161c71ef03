import ArgumentParser
import BundleFormat
import CanonicalJSON
import ImportLedger
import Integrity
import PackageStore
import Platform
import Reports
import Snapshots
import SystemPackage
import Terminal

/// How a table is printed.
struct TableOptions: ParsableArguments {
    @Flag(help: "Print comma-separated values.") var csv = false
}

struct History: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "List the imports and rollbacks, newest first, or tell when a package came in.",
        discussion: """
            With a package, or a version of one (lodash@4.17.21), says what each import and rollback made of its tarballs, from which \
            bundle, oldest first. Dates are UTC: 2026-11-28 or 2026-11-28T09:30:00Z.
            """)

    @Argument(help: ArgumentHelp("A package, or one version of it.", valueName: "package[@version]")) var package: String?
    @Option(help: ArgumentHelp("Only what began at that time or later.", valueName: "date")) var since: String?
    @Option(help: ArgumentHelp("Only what began before that time.", valueName: "date")) var until: String?
    @OptionGroup var table: TableOptions
    @OptionGroup var state: StateOptions

    func validate() throws {
        for date in [since, until] {
            if let date, Self.moment(date) == nil { throw ValidationError("\"\(date)\" is no date: 2026-11-28 or 2026-11-28T09:30:00Z") }
        }
        if let package, Self.subject(package) == nil { throw ValidationError("\"\(package)\" names no package and no version of one") }
    }

    func run() throws {
        try reporting {
            let ledger = try state.ledger()
            let first = since.flatMap(Self.moment)
            let end = until.flatMap(Self.moment)
            func isMeant(_ record: ImportRecord) -> Bool {
                (first.map { record.started >= $0 } ?? true) && (end.map { record.started < $0 } ?? true)
            }
            if let package, let (name, version) = Self.subject(package) {
                let events = try ledger.events(of: name, version: version).filter { isMeant($0.record) }
                if table.csv { try printCSV(events) } else { try events.forEach { try show($0) } }
            } else {
                let records = try ledger.imports().filter(isMeant)
                if table.csv { try printCSV(records) } else { try records.forEach { try show($0) } }
            }
        }
    }

    /// A date, or a moment.
    static func moment(_ text: String) -> Timestamp? { Timestamp(text) ?? Timestamp("\(text)T00:00:00Z") }

    /// The package and the version that a text names.
    static func subject(_ text: String) -> (PackageName, PackageVersion?)? {
        if let name = PackageName(text) { return (name, nil) }
        guard let at = text.lastIndex(of: "@"), let name = PackageName(String(text[..<at])),
            let version = PackageVersion(String(text[text.index(after: at)...]))
        else { return nil }
        return (name, version)
    }

    private func show(_ record: ImportRecord) throws {
        if state.json { return try Terminal.output(record.json.canonicalBytes + [0x0A]) }
        let outcomes = record.outcomes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        try Terminal.output(
            "\(record.id)  \(record.started)  \(record.undoes.map { "undoes \($0): " } ?? "")\(record.label) #\(record.sequence)  "
                + "\(record.bundle)  \(record.state.rawValue)  \(outcomes)  by \(record.operatorName)  \(record.signature)")
    }

    private func show(_ event: FileEvent) throws {
        let (record, change) = (event.record, event.change)
        if state.json {
            var value = change.json.object ?? JSONObject()
            value["entry"] = record.json
            return try Terminal.output(JSONValue.object(value).canonicalBytes + [0x0A])
        }
        let what = "\(change.path.package)@\(change.version?.text ?? change.path.file.text) \(change.outcome.rawValue)"
        try Terminal.output(
            "\(record.id)  \(record.started)  \(what)  \(record.undoes.map { "undoing \($0)" } ?? "from \(record.label) #\(record.sequence)")  "
                + "\(record.bundle)  by \(record.operatorName)  \(record.signature)")
    }

    private func printCSV(_ records: [ImportRecord]) throws {
        try printLine([
            "entry", "kind", "undoes", "state", "started", "finished", "label", "sequence", "bundle", "origin", "keys", "operator", "host",
            "source", "outcomes", "digest",
        ])
        for record in records {
            try printLine([
                "\(record.id)", record.kind.rawValue, record.undoes.map { "\($0)" } ?? "", record.state.rawValue,
                record.started.description,
                record.finished?.description ?? "", record.label, "\(record.sequence)", record.bundle.text, record.origin.text,
                record.keys.joined(separator: " "), record.operatorName, record.details["host"]?.string ?? "", record.source,
                record.outcomes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " "), record.digest ?? "",
            ])
        }
    }

    private func printCSV(_ events: [FileEvent]) throws {
        try printLine(["entry", "started", "label", "sequence", "bundle", "operator"] + ChangeRecord.columns)
        for event in events {
            let record = event.record
            try printLine(
                ["\(record.id)", record.started.description, record.label, "\(record.sequence)", record.bundle.text, record.operatorName]
                    + event.change.fields)
        }
    }
}

/// Prints a line of comma-separated values.
private func printLine(_ fields: [String]) throws { try Terminal.output(Array(CSV.line(fields).utf8)) }

struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Say all of one entry of the history.",
        discussion: "As comma-separated values: a line for each file that its bundle carried, or of which it changed the record.")

    @Argument(help: "The entry's number, as \"history\" shows it.") var id: Int64
    @OptionGroup var table: TableOptions
    @OptionGroup var state: StateOptions

    func run() throws {
        try reporting {
            let report = try ImportReport(id, of: state.ledger())
            if table.csv {
                try printLine(ChangeRecord.columns)
                for change in report.packages.flatMap(\.changes) { try printLine(change.fields) }
            } else if state.json {
                var value = report.record.json.object ?? JSONObject()
                value["files"] = .array(report.packages.flatMap(\.changes).map(\.json))
                value["rollback"] = report.rollback.map { .integer($0.id) } ?? .null
                value["canBeUndone"] = .bool(report.canBeUndone)
                try Terminal.output(JSONValue.object(value).canonicalBytes + [0x0A])
            } else {
                try show(report)
            }
        }
    }

    private func show(_ report: ImportReport) throws {
        let record = report.record
        let details = record.details
        let medium = details["medium"]?.object.map { medium in
            ["label", "vendor", "model", "serial", "fileSystem", "path"].compactMap { medium[$0]?.string }.joined(separator: " · ")
        }
        var facts = [
            ("entry", "\(record.id), \(record.kind.rawValue)\(record.undoes.map { " of \($0)" } ?? ""), \(record.state.rawValue)"),
            ("bundle", "\(record.label) #\(record.sequence), \(record.bundle)"), ("origin", record.origin.text),
            ("signed", record.signature), ("began", record.started.description), ("ended", record.finished?.description ?? ""),
            ("operator", record.operatorName), ("host", details["host"]?.string ?? ""), ("source", record.source),
            ("medium", medium ?? ""), ("storage", details["storage"]?.string ?? ""), ("digest", record.digest ?? ""),
        ]
        if let rollback = report.rollback { facts.append(("undone by", "\(rollback.id)")) }
        for (name, value) in facts where !value.isEmpty {
            try Terminal.output("\(name):\(String(repeating: " ", count: max(1, 11 - name.count)))\(value)")
        }
        for package in report.packages {
            let groups = Dictionary(grouping: package.changes, by: \.outcome).sorted { $0.key.rawValue < $1.key.rawValue }
            let words = groups.map { outcome, changes in
                "\(outcome.rawValue) \(changes.map { $0.version?.text ?? $0.path.file.text }.joined(separator: " "))"
            }
            try Terminal.output("  \(package.name): \(words.joined(separator: "; "))")
        }
    }
}

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Make one page of an import, to be kept or printed.",
        discussion: "One file of HTML that needs nothing else: what came in, what was not taken, digests, key, checks, how to undo it.")

    @Argument(help: "The entry's number, as \"history\" shows it.") var id: Int64
    @Flag(help: "As HTML, which is what there is.") var html = false
    @Option(help: "en or ru.") var language = "en"
    @Option(help: ArgumentHelp("Where it is written; without, to standard output.", valueName: "file")) var output: String?
    @OptionGroup var state: StateOptions

    func validate() throws {
        guard Phrases.Language(rawValue: language) != nil else { throw ValidationError("\"\(language)\" is neither en nor ru") }
    }

    func run() throws {
        try reporting {
            let report = try ImportReport(id, of: state.ledger())
            let bytes = Array(HTMLReport(report, Phrases(Phrases.Language(rawValue: language) ?? .en)).text().utf8)
            guard let output else { return try Terminal.output(bytes) }
            let path = FilePath(output)
            try DiskFileSystem().replace(path.isAbsolute ? path : FilePath(".").pushing(path), with: bytes)
        }
    }
}

struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Check the record of what was done.", subcommands: [Verify.self])

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Check that no entry of the ledger was changed, put in or taken out.",
            discussion: """
                Each entry holds the digest of the one before it, and of all that it says of files. Note the last digest elsewhere: entries \
                that were taken from the end show only by it. Exit code 3: something was changed.
                """)

        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                let audit = try state.ledger().audit()
                if state.json {
                    let value: JSONValue = [
                        "entries": .integer(audit.entries), "head": audit.head.map { .string($0) } ?? .null,
                        "findings": .array(audit.findings.map { .string($0) }),
                    ]
                    try Terminal.output(value.canonicalBytes + [0x0A])
                } else {
                    for finding in audit.findings { Terminal.say("finding: \(finding)") }
                    let words = audit.findings.isEmpty ? "as they were written" : "\(audit.findings.count) finding(s)"
                    try Terminal.output("\(audit.entries) entries, \(words); the last digest is \(audit.head ?? "none")")
                }
                if !audit.findings.isEmpty { throw ExitCode(3) }
            }
        }
    }
}

extension ImportRecord {
    /// Who signed it, in words.
    fileprivate var signature: String { keys.isEmpty ? "unsigned" : "signed by \(keys.joined(separator: ", "))" }

    /// What `--json` prints of an entry.
    var json: JSONValue {
        [
            "import": .integer(id), "kind": .string(kind.rawValue), "undoes": undoes.map { .integer($0) } ?? .null,
            "bundle": .string(bundle.text), "label": .string(label), "origin": .string(origin.text), "sequence": .integer(sequence),
            "started": .string(started.description), "finished": finished.map { .string($0.description) } ?? .null,
            "state": .string(state.rawValue), "keys": .array(keys.map { .string($0) }), "operator": .string(operatorName),
            "source": .string(source), "details": .object(details), "digest": digest.map { .string($0) } ?? .null,
            "previous": .string(previous),
            "outcomes": .object(JSONObject(uniqueMembers: outcomes.map { (name: $0.key, value: .integer($0.value)) })),
        ]
    }
}

extension ChangeRecord {
    /// The names of `fields`.
    fileprivate static let columns = ["package", "version", "file", "outcome", "carried", "sizeBytes", "sha512"]

    fileprivate var fields: [String] {
        [
            path.package.text, version?.text ?? "", path.file.text, outcome.rawValue, isCarried ? "yes" : "no", size.map { "\($0)" } ?? "",
            digest.hex,
        ]
    }

    fileprivate var json: JSONValue {
        [
            "package": .string(path.package.text), "version": version.map { .string($0.text) } ?? .null, "file": .string(path.file.text),
            "outcome": .string(outcome.rawValue), "carried": .bool(isCarried), "sizeBytes": size.map { .integer($0) } ?? .null,
            "sha512": .string(digest.hex),
        ]
    }
}
