import ArchiveCheck
import ArgumentParser
import CanonicalJSON
import Catalog
import Documents
import Inventory
import Jobs
import PackageStore
import Platform
import Registries
import Repair
import Settings
import SystemPackage
import Terminal
import VerdaccioSettings

struct RepairCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Replace what is damaged by what upstream has, through Verdaccio, and check again.",
        discussion: """
            Works on what the last check listed. A damaged tarball is copied to STATE/quarantine, removed and fetched again through the \
            proxying Verdaccio; then it is proved. A packument that cannot be read is fetched again, too, and versions that were published \
            to this registry alone are put into it out of their tarballs and the last snapshot. A tarball that no version names, here or \
            upstream, is moved to quarantine. What upstream no longer has stays in quarantine and is marked. What was published here and \
            is damaged is left as it is.

              ferry-online repair --verdaccio-config /etc/verdaccio/config.yaml
              ferry-online repair lodash @types/node

            Exit codes: 0 all is good again · 3 something is damaged still · 1 failed · 11 locked by another process · 64 wrong usage · \
            130 cancelled; run it again.
            """)

    @Argument(help: ArgumentHelp("The packages to repair (default: all).", valueName: "package")) var packages: [String] = []
    @Flag(help: "List what would be repaired, and change nothing.") var dryRun = false
    @Option(help: ArgumentHelp("Packages at once.", valueName: "n")) var parallelism = 8
    @Option(help: ArgumentHelp("Seconds that a connection may be silent.", valueName: "s")) var idleTimeout = 120
    @OptionGroup var registry: RegistryOptions
    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions

    func validate() throws {
        guard (1...64).contains(parallelism) else { throw ValidationError("--parallelism must be from 1 to 64") }
        guard idleTimeout > 0 else { throw ValidationError("--idle-timeout must be above 0") }
        for name in packages where PackageName(name) == nil { throw ValidationError("\"\(name)\" is not a package name") }
    }

    func run() async throws {
        let parameters: [String: JSONValue?] = [
            "packages": packages.isEmpty ? nil : .array(packages.map { .string($0) }), "dryRun": dryRun ? true : nil,
            "parallelism": parallelism == 8 ? nil : .integer(parallelism),
        ]
        try await state.job(.repair, parameters) {
            let catalog = try state.catalog()
            let broken = try catalog.brokenArchives().filter { packages.isEmpty || packages.contains($0.path.package.text) }
            if broken.isEmpty { Terminal.say("nothing is listed as damaged; \"ferry-online check\" looks") }
            if dryRun || broken.isEmpty {
                if state.json {
                    try Terminal.output(JSONValue.array(broken.map(\.json)).canonicalBytes + [0x0A])
                } else {
                    for archive in broken { try Terminal.output(archive.line) }
                }
                return JobReport(
                    reason: broken.isEmpty ? "nothing is listed as damaged" : "\(broken.count) files would be repaired",
                    json: ["attempted": .integer(broken.count), "repaired": 0, "goneUpstream": 0])
            }
            let settings = try state.settings(storage.flags + registry.flags)
            var options = Repairer.Options()
            options.parallelism = parallelism
            options.idleTimeout = .seconds(idleTimeout)
            return try await RepairRun(state: state, registry: registry, options: options)
                .run(broken, settings, settings.verdaccio(environment), catalog)
        }
    }
}

/// A repair with the check that proves it.
struct RepairRun {
    let state: StateOptions
    let registry: RegistryOptions
    var options = Repairer.Options()

    /// Repairs, scans and checks what is listed as damaged, and prints what came of each file.
    func run(
        _ broken: [BrokenArchive], _ settings: OnlineSettings, _ verdaccio: VerdaccioSettings?, _ catalog: Catalog
    ) async throws -> JobReport {
        let layout = try settings.layout(verdaccio).located()
        let line = ProgressLine("repairing", unit: .items("files"))
        let repairer = Repairer(
            registry: registry.proxy(settings, verdaccio), layout: layout, catalog: catalog, snapshots: try state.snapshots(),
            quarantine: try state.directory().appending("quarantine"), progress: { line.update(Int64($0), of: Int64($1)) })
        let report = try await Interruption.cancelling { [options] in try await repairer.run(broken, options) }
        line.finish()
        if report.isCancelled {
            try show(report)
            return JobReport(reason: report.sums, exitCode: 130)
        }
        let scan = try scanStorage(settings.layout(verdaccio), catalog: catalog)
        let check = try await Interruption.cancelling { try checkStorage(scan.layout, catalog: catalog, all: false, width: 2) }
        try show(report)
        let isDamaged = check.broken.contains { $0.state == .damaged } || report.repaired < report.outcomes.count
        return JobReport(
            reason: report.sums, exitCode: check.isCancelled ? 130 : isDamaged ? 3 : 0, json: report.json,
            touched: Array(Set(report.outcomes.filter(\.attempt.isRepaired).map(\.archive.path.package.text))).sorted())
    }

    private func show(_ report: Repairer.Report) throws {
        if state.json { return try Terminal.output(JSONValue.array(report.outcomes.map(\.json)).canonicalBytes + [0x0A]) }
        for outcome in report.outcomes { try Terminal.output(outcome.line) }
        Terminal.say(report.sums + (report.isCancelled ? "; cancelled, run it again to go on" : ""))
    }
}

extension Repairer.Report {
    /// The repair in one line.
    fileprivate var sums: String {
        let gone = outcomes.count(where: \.isGoneUpstream)
        return "\(repaired) of \(outcomes.count) repaired" + (gone > 0 ? ", \(gone) gone upstream" : "")
    }

    fileprivate var json: JSONValue {
        [
            "attempted": .integer(outcomes.count), "repaired": .integer(repaired),
            "goneUpstream": .integer(outcomes.count(where: \.isGoneUpstream)),
        ]
    }
}

extension Repairer.Outcome {
    /// The attempt in one line.
    fileprivate var line: String { "\(attempt.isRepaired ? "repaired" : "failed")  \(archive.path)  \(attempt.reason)" }
}
