import ArchiveCheck
import ArgumentParser
import CanonicalJSON
import Catalog
import Documents
import Integrity
import Inventory
import Jobs
import PackageStore
import Platform
import Settings
import Terminal

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Prove every tarball in storage.",
        discussion: """
            Scans the storage, and then reads every tarball that was not proved since it was last touched: inflates it to its end, walks \
            the tar inside and compares its digest with what the packument says was published. What is damaged is listed with its kind:

              truncated  empty  not-gzip  corrupt-data  checksum  bad-tar  trailing-bytes  digest-mismatch
              no-packument-entry  packument-unreadable  orphan

            It changes nothing in storage and may run beside a serving Verdaccio; an interrupted check goes on where it was. "repair" \
            replaces what was found. Nothing damaged enters a snapshot.

            Exit codes: 0 nothing is damaged · 3 damage was found · 1 failed, or something could not be read · 11 locked by another \
            process · 64 wrong usage · 130 cancelled.
            """)

    @Flag(help: "Also what was proved before.") var everything = false
    @Flag(help: "Repair what is damaged at once, as \"repair\" does, and check again.") var repair = false
    @Option(help: ArgumentHelp("Threads that read.", valueName: "n")) var parallelism = 2
    @OptionGroup var registry: RegistryOptions
    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions

    func validate() throws {
        guard (1...64).contains(parallelism) else { throw ValidationError("--parallelism must be from 1 to 64") }
    }

    func run() async throws {
        let parameters: [String: JSONValue?] = [
            "everything": everything ? true : nil, "parallelism": parallelism == 2 ? nil : .integer(parallelism),
            "repair": repair ? true : nil,
        ]
        try await state.job(.check, parameters) {
            let settings = try state.settings(storage.flags + registry.flags)
            let verdaccio = try settings.verdaccio(environment)
            let catalog = try state.catalog()
            let scan = try scanStorage(settings.layout(verdaccio), catalog: catalog)
            let (everything, parallelism) = (everything, parallelism)
            let report = try await Interruption.cancelling {
                try checkStorage(scan.layout, catalog: catalog, all: everything, width: parallelism)
            }
            let unreadable = scan.findings.filter { $0.code == .unreadable } + report.unreadable
            if state.json, !repair {
                try Terminal.output(report.json(unreadable: unreadable).canonicalBytes + [0x0A])
            } else {
                say(unreadable + report.notes)
                if !state.json { for archive in report.broken { try Terminal.output(archive.line) } }
                Terminal.say(report.sums)
            }
            if report.isCancelled { return JobReport(reason: report.sums, exitCode: 130) }
            if repair, !report.broken.isEmpty {
                return try await RepairRun(state: state, registry: registry).run(report.broken, settings, verdaccio, catalog)
            }
            let isDamaged = report.broken.contains { $0.state == .damaged }
            return JobReport(
                reason: report.sums + (unreadable.isEmpty ? "" : "; \(unreadable.count) files could not be read"),
                exitCode: isDamaged ? 3 : unreadable.isEmpty ? 0 : 1, isFailure: !isDamaged && !unreadable.isEmpty,
                json: report.json(unreadable: unreadable).sums)
        }
    }
}

/// Checks a storage that was scanned, with a line of progress.
func checkStorage(_ layout: StorageLayout, catalog: Catalog, all: Bool, width: Int) throws -> StorageCheck.Report {
    let line = ProgressLine("checking", unit: .bytes)
    defer { line.finish() }
    let check = StorageCheck(layout: layout, catalog: catalog) { progress in
        line.update(
            progress.bytes, of: progress.totalBytes,
            details: "\(progress.tarballs) of \(progress.totalTarballs) tarballs, \(progress.damaged) damaged")
    }
    return try check.run(all: all, width: width)
}

extension StorageCheck.Report {
    /// The check in one line.
    fileprivate var sums: String {
        let damaged = broken.count { $0.state == .damaged }
        let missing = broken.count { $0.state == .missing }
        return "\(checked) tarballs checked, \(Terminal.bytes(bytes)), \(skipped) proved before; \(damaged) damaged"
            + (missing > 0 ? ", \(missing) taken away by repairs and not replaced" : "")
            + (passed > 0 ? "; \(passed) changed meanwhile and are left for the next check" : "")
            + (isCancelled ? "; cancelled, run it again to go on" : "")
    }
}

extension BrokenArchive {
    /// The file in one line.
    var line: String {
        let gone = isGoneUpstream ? "; upstream has it no more" : ""
        let last = attempts.last.map { "; last tried \($0.ended): \($0.reason)" } ?? ""
        return "\(state == .missing ? "missing" : damage.kind.rawValue)  \(path)  \(damage.words)\(gone)\(last)"
    }
}
