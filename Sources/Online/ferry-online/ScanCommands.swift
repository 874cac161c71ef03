import ArgumentParser
import CanonicalJSON
import Catalog
import Documents
import Inventory
import Jobs
import PackageStore
import Platform
import Terminal

struct Scan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan",
        abstract: "Bring what is known of the storage up to date.",
        discussion: """
            Lists every package and reads the packuments of those that were touched since the last scan; no tarball is read. What it \
            learns is what "packages", "stats" and "check" know. It changes nothing in storage and may run beside a serving Verdaccio.

            Exit codes: 0 done · 1 failed, or something could not be read: what is known of it stays · 11 locked by another process · \
            64 wrong usage.
            """)

    @Flag(help: "Accept a storage that no package is left in.") var allowEmpty = false

    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions

    func run() async throws {
        try await state.job(.scan, ["allowEmpty": allowEmpty ? true : nil]) {
            let catalog = try state.catalog()
            let report = try scanStorage(storage.layout(state), catalog: catalog, allowsEmpty: allowEmpty)
            defer { warnOfSpace(state, storage, catalog, scanned: report.fileTotals) }
            try show(report)
            let unreadable = report.findings.count { $0.code == .unreadable }
            let change = report.change
            return JobReport(
                reason: "\(report.totals.packages) packages: \(change.added) new, \(change.changed) changed, \(report.gone) gone"
                    + (unreadable > 0 ? "; \(unreadable) could not be read" : ""),
                exitCode: unreadable > 0 ? 1 : 0, isFailure: unreadable > 0, json: report.json.sums)
        }
    }

    private func show(_ report: StorageScan.Report) throws {
        if state.json { return try Terminal.output(report.json.canonicalBytes + [0x0A]) }
        say(report.findings)
        let (totals, change) = (report.totals, report.change)
        try Terminal.output(
            "packages: \(totals.packages), \(totals.localPackages) of them published here; \(report.read) read, \(change.added) new, "
                + "\(change.changed) changed, \(report.gone) gone")
        try Terminal.output(
            "versions: \(totals.versions) known, \(totals.cachedVersions) in storage; tarballs: \(totals.tarballs), "
                + "\(Terminal.bytes(totals.tarballBytes)); packuments: \(Terminal.bytes(totals.packumentBytes))")
    }
}

/// Scans the storage, with a line of progress.
func scanStorage(_ layout: StorageLayout, catalog: Catalog, allowsEmpty: Bool = false) throws -> StorageScan.Report {
    let line = ProgressLine("scanning", unit: .items("packages"))
    defer { line.finish() }
    let scan = StorageScan(layout: layout, catalog: catalog, progress: { line.update(Int64($0), of: Int64($1)) })
    return try scan.run(allowsEmpty: allowsEmpty)
}

extension StorageScan.Report {
    /// What the scan counted, for the record of how full the storage is.
    fileprivate var fileTotals: FileTotals {
        FileTotals(files: totals.tarballs + totals.packages, bytes: totals.tarballBytes + totals.packumentBytes)
    }
}

struct Stats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show what the storage held after each scan, and how it grew.",
        discussion: "The last line is the newest scan; a line per day, the last scan of it, leads up to it.")

    @Option(help: ArgumentHelp("How many days back.", valueName: "n")) var days = 30
    @OptionGroup var state: StateOptions

    func validate() throws {
        guard (1...36_500).contains(days) else { throw ValidationError("--days must be from 1 to 36500") }
    }

    func run() throws {
        try reporting {
            let since = Timestamp(nanoseconds: WallClock.system.now().nanoseconds - Int64(days) * 86_400_000_000_000)
            let totals = try state.catalog().totals(since: since)
            guard !totals.isEmpty else {
                throw ValidationError("there was no scan in the last \(days) days; run \"ferry-online scan\"")
            }
            if state.json { return try Terminal.output(JSONValue.array(totals.map(\.json)).canonicalBytes + [0x0A]) }
            var byDay: [(day: String, totals: StorageTotals)] = []
            for totals in totals {
                let day = String(totals.taken.description.prefix(10))
                if byDay.last?.day == day { byDay.removeLast() }
                byDay.append((day, totals))
            }
            for (day, totals) in byDay {
                try Terminal.output(
                    "\(day)  \(totals.packages) packages  \(totals.cachedVersions) of \(totals.versions) versions  "
                        + "\(totals.tarballs) tarballs  \(Terminal.bytes(totals.tarballBytes))  \(totals.damaged) damaged")
            }
            guard let first = totals.first, let last = totals.last, first.taken < last.taken else { return }
            Terminal.say(
                "since \(first.taken): \(signed(last.packages - first.packages)) packages, "
                    + "\(signed(last.cachedVersions - first.cachedVersions)) versions in storage, "
                    + "\(last.tarballBytes < first.tarballBytes ? "-" : "+")"
                    + Terminal.bytes(abs(last.tarballBytes - first.tarballBytes)))
        }
    }

    private func signed(_ number: Int) -> String { number < 0 ? "\(number)" : "+\(number)" }
}

extension PackageQuery.Order: ExpressibleByArgument {}

struct Packages: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "packages",
        abstract: "List and search the packages in storage, or show one.",
        discussion: """
            Speaks of what the last scan saw.

              ferry-online packages                        (by name)
              ferry-online packages react --sort bytes --descending
              ferry-online packages --show @types/node     (versions, tarballs, and the bundles that carried them)
            """)

    @Argument(help: ArgumentHelp("A part of the name; one or two characters find names that begin so.", valueName: "text"))
    var search = ""

    @Option(help: ArgumentHelp("The package to show.", valueName: "name")) var show: String?
    @Option(
        help: ArgumentHelp(
            "By what: \(PackageQuery.Order.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "column"))
    var sort = PackageQuery.Order.name
    @Flag(help: "The largest, newest, last first.") var descending = false
    @Option(help: ArgumentHelp("How many, up to 1000.", valueName: "n")) var limit = 50
    @Option(help: ArgumentHelp("How many to skip.", valueName: "n")) var offset = 0
    @OptionGroup var state: StateOptions

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit must be from 1 to 1000") }
        guard offset >= 0 else { throw ValidationError("--offset must not be below 0") }
    }

    func run() throws {
        try reporting {
            let catalog = try state.catalog()
            if let show { return try showPackage(show, catalog) }
            var query = PackageQuery()
            query.search = search
            query.order = sort
            query.isDescending = descending
            query.limit = limit
            query.offset = offset
            let page = try catalog.packages(query)
            if state.json {
                let value: JSONValue = ["total": .integer(page.total), "packages": .array(page.elements.map(\.json))]
                return try Terminal.output(value.canonicalBytes + [0x0A])
            }
            for package in page.elements { try Terminal.output(package.line) }
            Terminal.say("\(page.elements.count) of \(page.total) packages")
        }
    }

    private func showPackage(_ text: String, _ catalog: Catalog) throws {
        guard let name = PackageName(text) else { throw ValidationError("\"\(text)\" is not a package name") }
        guard let detail = try catalog.package(name) else {
            throw ValidationError("no scan has seen \"\(name)\"; \"ferry-online packages \(name.base)\" searches")
        }
        if state.json { return try Terminal.output(detail.json.canonicalBytes + [0x0A]) }
        try Terminal.output(detail.summary.line)
        if let error = detail.packumentError { Terminal.say("warning: its packument cannot be used: \(error)") }
        for (tag, version) in detail.tags.sorted(by: { $0.key < $1.key }) { try Terminal.output("  \(tag): \(version)") }
        for version in detail.versions {
            guard let tarball = version.tarball else { continue }
            let marks = [
                version.isLocal ? "published here" : nil, version.isWithdrawn ? "withdrawn upstream" : nil,
                version.deprecated.map { "deprecated: \($0.split(whereSeparator: \.isNewline).joined(separator: " "))" },
                tarball.damage.map { "DAMAGED: \($0)" },
            ]
            try Terminal.output("  \(version.version)  \(tarball.line)\(marks.compactMap { $0 }.map { "  \($0)" }.joined())")
        }
        for tarball in detail.unnamed { try Terminal.output("  ?  \(tarball.file)  \(tarball.line)") }
        Terminal.say("\(detail.summary.known - detail.summary.cached) more versions are known and not in storage")
    }
}

extension PackageSummary {
    fileprivate var line: String {
        let damage = broken > 0 ? "  \(broken) DAMAGED" : ""
        let state = gone.map { "  left the storage by \($0)" } ?? ""
        return "\(name)  \(latest ?? "-")  \(cached) of \(known) versions  \(Terminal.bytes(bytes))  \(source.rawValue)\(damage)\(state)"
    }
}

extension PackageDetail.Tarball {
    fileprivate var line: String {
        let proof = checked.map { "checked \($0)" } ?? "not checked"
        let carried = bundles.isEmpty ? "" : "  in bundles \(bundles.map { "#\($0)" }.joined(separator: " "))"
        return "\(Terminal.bytes(size))  \(proof)\(carried)"
    }
}

extension JSONValue {
    /// An object with the lengths of its lists in their place.
    var sums: JSONValue {
        guard let object else { return self }
        return .object(
            JSONObject(
                uniqueMembers: object.members.map { name, value in
                    (name: name, value: value.array.map { .integer($0.count) } ?? value)
                }))
    }
}
