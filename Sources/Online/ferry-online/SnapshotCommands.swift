import ArgumentParser
import BundleFormat
import CanonicalJSON
import Catalog
import Documents
import Integrity
import Jobs
import PackageStore
import Platform
import Snapshots
import Terminal

struct Snapshot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Record what the storage holds now.",
        discussion: """
            Reads only what changed since the last snapshot. Damaged, undeclared and unreadable files are reported and left out; \
            those that earlier snapshots held are named as withheld, since they have not left the storage. Versions that upstream has \
            withdrawn are left out, too. Where nothing changed, the last snapshot stands and is named.
            """)

    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions
    @Flag(help: "Accept a snapshot that lost more than 5 % of the last one's files.")
    var allowShrink = false

    func run() async throws {
        try await state.job(.snapshot, ["allowShrink": allowShrink ? true : nil]) {
            let catalog = try state.catalog()
            let report = try takeSnapshot(state, storage, catalog, allowsShrinking: allowShrink)
            if state.json {
                try Terminal.output(report.json.canonicalBytes + [0x0A])
            } else {
                try Terminal.output(report.header.id.text)
            }
            warnOfSpace(state, storage, catalog)
            return JobReport(reason: "\(report.sums): \(report.header.id)", json: report.json.sums)
        }
    }
}

/// Takes a snapshot, and says what there is to say of it.
func takeSnapshot(
    _ state: StateOptions, _ storage: StorageOptions, _ catalog: Catalog, allowsShrinking: Bool
) throws -> SnapshotBuilder.Report {
    let progress = ProgressLine("reading", unit: .items("packages"))
    let builder = SnapshotBuilder(
        layout: try storage.layout(state), records: catalog, store: try state.snapshots(), origin: try state.origin(catalog),
        progress: { done, total, _ in progress.update(Int64(done), of: Int64(total)) })
    var options = SnapshotBuilder.Options()
    options.allowsShrinking = allowsShrinking
    let report = try builder.take(options)
    progress.finish()
    if !state.json { report.say() }
    return report
}

extension SnapshotBuilder.Report {
    fileprivate func say() {
        ferry_online.say(findings)
        if !withheld.isEmpty {
            let first = withheld.prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
            Terminal.say(
                "warning: \(withheld.count) files of earlier snapshots could not be taken, though they have not left the storage; "
                    + "bundles neither carry nor remove them: \(first)\(withheld.count > 3 ? ", …" : "")")
        }
        Terminal.say("\(sums); read \(hashedFiles) tarballs, \(Terminal.bytes(hashedBytes))")
    }

    /// The snapshot in a phrase.
    fileprivate var sums: String {
        let counts = header.counts
        return "\(isNew ? "new snapshot" : "unchanged since snapshot"): \(counts.packages) packages, \(counts.files) files, "
            + Terminal.bytes(counts.bytes) + (header.isSettled ? "" : "; the storage kept changing (unsettled)")
    }

    /// What `--json` prints of a snapshot that was taken.
    fileprivate var json: JSONValue {
        var object = header.json.object ?? JSONObject()
        object["new"] = .bool(isNew)
        object["hashedFiles"] = .integer(hashedFiles)
        object["hashedBytes"] = .integer(hashedBytes)
        object["withheld"] = .array(withheld.map { .string($0.description) })
        object["withdrawn"] = .array(withdrawn.map { .string($0.description) })
        object["passes"] = .integer(passes)
        object["findings"] = .array(findings.map(\.json))
        return .object(object)
    }
}

struct Snapshots: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "snapshots", abstract: "List the snapshots, oldest first.")

    @OptionGroup var state: StateOptions

    func run() throws {
        try reporting {
            for header in try state.snapshots().headers() {
                if state.json {
                    try Terminal.output(header.json.canonicalBytes + [0x0A])
                } else {
                    let counts = header.counts
                    try Terminal.output(
                        "\(header.id)  \(counts.packages) packages  \(counts.files) files  \(Terminal.bytes(counts.bytes))  "
                            + "\(header.isSettled ? "settled" : "unsettled")  \(header.stateRoot.hex.prefix(16))")
                }
            }
        }
    }
}

struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what differs between two snapshots, by content.",
        discussion: """
            Lines begin with + for added, ~ for changed, - for removed, x for removed since upstream has withdrawn it, ! for withheld: not \
            in TARGET, though it has not left the storage. Tarballs that TARGET leaves out since they are damaged or undeclared follow, \
            with !, too, and why; so do those that a repair took out of the storage and has not replaced. BASELINE may be "empty".
            """)

    @Argument(help: "The snapshot to start from, or \"empty\".") var baseline: String
    @Argument(help: "The snapshot to end at; the newest by default.") var target: String?
    @OptionGroup var state: StateOptions

    func run() throws {
        try reporting {
            var counts = (added: 0, changed: 0, removed: 0, withdrawn: 0, withheld: 0)
            let from = try state.baseline(baseline)
            let to = try state.target(target)
            let withheld = try state.snapshots().withheldPaths(of: to.header.id)
            let withdrawn = try state.snapshots().withdrawnPaths(of: to.header.id)
            var leftOut = try state.snapshots().leftOut(of: to.header.id)
            try forEachChange(from: from, to: to) { change in
                switch change {
                case .added(let file):
                    counts.added += 1
                    try show("+", "added", file)
                case .changed(_, let file):
                    counts.changed += 1
                    try show("~", "changed", file)
                case .removed(let file) where withheld.contains(file.path):
                    counts.withheld += 1
                    try show("!", "withheld", file, leftOut.removeValue(forKey: file.path))
                case .removed(let file) where withdrawn.contains(file.path):
                    counts.withdrawn += 1
                    try show("x", "withdrawn", file)
                case .removed(let file):
                    counts.removed += 1
                    try show("-", "removed", file)
                }
            }
            for (path, code) in leftOut.sorted(by: { $0.key < $1.key }) { try show(path, code) }
            let others =
                (counts.withdrawn == 0 ? "" : ", \(counts.withdrawn) withdrawn")
                + (counts.withheld == 0 ? "" : ", \(counts.withheld) withheld")
                + (leftOut.isEmpty ? "" : ", \(leftOut.count) more left out")
            Terminal.say("\(counts.added) added, \(counts.changed) changed, \(counts.removed) removed\(others)")
        }
    }

    private func show(_ path: StorePath, _ code: Finding.Code) throws {
        guard state.json else { return try Terminal.output("! \(path)  \(code.rawValue)") }
        let value: JSONValue = ["change": "left-out", "path": .string(path.description), "reason": .string(code.rawValue)]
        try Terminal.output(value.canonicalBytes + [0x0A])
    }

    /// - Parameter reason: why it is withheld, where the snapshot says so.
    private func show(_ mark: String, _ word: String, _ file: SnapshotFile, _ reason: Finding.Code? = nil) throws {
        guard state.json else { return try Terminal.output("\(mark) \(file.path)\(reason.map { "  \($0.rawValue)" } ?? "")") }
        var value: JSONValue = [
            "change": .string(word), "path": .string(file.path.description), "sha512": .string(file.digest.hex),
            "sizeBytes": .integer(file.size),
        ]
        if let reason, var object = value.object {
            object["reason"] = .string(reason.rawValue)
            value = .object(object)
        }
        try Terminal.output(value.canonicalBytes + [0x0A])
    }
}

extension StateOptions {
    /// The snapshot named as a baseline; `nil` for `empty`.
    func baseline(_ text: String) throws -> SnapshotReader? {
        text == "empty" ? nil : try snapshot(text)
    }

    /// The snapshot named as a baseline, where it may also be what the last bundle for a destination led to.
    func baseline(_ text: String, for destination: BundleDestination, _ catalog: Catalog) throws -> SnapshotReader? {
        guard text == "last-bundle" else { return try baseline(text) }
        // A snapshot that is gone is no baseline any more; a full bundle is always safe.
        return try catalog.bundles().first { $0.destination == destination }.flatMap { try snapshots().open($0.target) }
    }

    /// The snapshot named as a target, or the newest.
    func target(_ text: String?) throws -> SnapshotReader {
        if let text { return try snapshot(text) }
        guard let newest = try snapshots().headers().last else {
            throw ValidationError("there is no snapshot yet; take one with \"ferry-online snapshot\"")
        }
        return try snapshot(newest.id.text)
    }

    private func snapshot(_ text: String) throws -> SnapshotReader {
        guard let id = SnapshotID(text), let reader = try snapshots().open(id) else {
            throw ValidationError("there is no snapshot \"\(text)\"; \"ferry-online snapshots\" lists them")
        }
        return reader
    }
}
