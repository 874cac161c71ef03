import ArgumentParser
import CanonicalJSON
import Catalog
import Documents
import Jobs
import PackageManagers
import PackageStore
import Platform
import Refresh
import Registries
import Resolution
import Settings
import SystemPackage
import Terminal
import VerdaccioSettings

struct RefreshCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh",
        abstract: "Make Verdaccio's cache current and complete.",
        discussion: """
            For each package in storage that comes from an uplink, Verdaccio is made to fetch the packument, and it is proved that it did. \
            Versions are chosen by policy; what they need follows by npm's own rules, on every platform named; each missing tarball is \
            fetched through Verdaccio and its bytes are compared with what was published. Nothing is fetched twice: an interrupted \
            refresh is run again.

            What upstream says and Verdaccio never picks up (deprecations, lowered tags, withdrawn versions) is read from upstream itself \
            and reaches the next snapshot; it needs --verdaccio-config, or --upstream.

              ferry-online refresh full --verdaccio-config /etc/verdaccio/config.yaml --platform linux-x64 --platform win32-x64
              ferry-online refresh delta --minutes 2880 --policy latest --policy siblings

            Exit codes: 0 the cache is complete · 1 failed · 4 ended, and something could not be had · 11 locked by another process · \
            64 wrong usage · 130 cancelled.
            """,
        subcommands: [Full.self, Delta.self])

    struct Full: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "full", abstract: "Refresh every package in storage.")

        @OptionGroup var options: RefreshCommandOptions

        func run() async throws { try await options.run(.full) }
    }

    struct Delta: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delta",
            abstract: "Refresh the packages that changed lately.",
            discussion: """
                A package counts as changed where one of its tarballs was stored, or a version was published as far as the storage knows, in \
                the last --minutes.
                """)

        @Option(help: ArgumentHelp("How far back \"lately\" goes.", valueName: "n")) var minutes = 2880
        @OptionGroup var options: RefreshCommandOptions

        func validate() throws {
            guard minutes > 0 else { throw ValidationError("--minutes must be above 0") }
        }

        func run() async throws { try await options.run(.delta(minutes: minutes)) }
    }
}

extension VersionPolicy: ExpressibleByArgument {}
extension PackageManagerDriver.Tool: ExpressibleByArgument {}

/// Who does the work of a refresh.
enum RefreshDriver: String, ExpressibleByArgument, CaseIterable {
    /// Ferry itself, over HTTP.
    case registry
    /// npm or pnpm, which install each package into a temporary directory.
    case packageManager = "package-manager"
}

struct RefreshCommandOptions: ParsableArguments {
    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions

    @OptionGroup var registry: RegistryOptions

    @Option(
        help: ArgumentHelp(
            "A machine that packages are installed on, such as linux-x64, linux-arm64-musl, darwin-arm64, win32-x64; repeat it for each "
                + "(default: this one).", valueName: "os-cpu"))
    var platform: [String] = []

    @Option(help: ArgumentHelp("A version of Node that packages are installed with; repeat it for each.", valueName: "version"))
    var node: [String] = []

    @Option(
        help: ArgumentHelp(
            "Which versions to keep beside those that others need: latest, tags, latest-per-major, siblings, ranges; repeat it (default: "
                + "latest).", valueName: "policy"))
    var policy: [VersionPolicy] = []

    @Option(help: ArgumentHelp("Requests at once.", valueName: "n")) var parallelism = 16
    @Option(help: ArgumentHelp("Seconds that a connection may be silent.", valueName: "s")) var idleTimeout = 120
    @Flag(help: "Say what would be fetched, in numbers, and change nothing.") var dryRun = false

    @Option(
        help: ArgumentHelp(
            "Who fetches: registry (Ferry itself), or package-manager (npm or pnpm install each package in a temporary directory, for "
                + "this machine's platform only).", valueName: "driver"))
    var driver = RefreshDriver.registry

    @Option(help: ArgumentHelp("With --driver package-manager: npm or pnpm.", valueName: "tool")) var tool = PackageManagerDriver.Tool.npm
    @Option(help: ArgumentHelp("With --driver package-manager: installs at once.", valueName: "n")) var installs = 2
    @Option(help: ArgumentHelp("With --driver package-manager: processors that all installs together may use.", valueName: "n"))
    var cpus: Int?
    @Option(help: ArgumentHelp("With --driver package-manager: minutes that one install may take.", valueName: "n")) var installMinutes = 10

    func validate() throws {
        for text in node where SemanticVersion(text) == nil {
            throw ValidationError("\"\(text)\" is not a version of Node, such as 20.11.1")
        }
        guard (1...256).contains(parallelism) else { throw ValidationError("--parallelism must be from 1 to 256") }
        guard installs > 0, installMinutes > 0, cpus ?? 1 > 0 else {
            throw ValidationError("--installs, --cpus and --install-minutes must be above 0")
        }
        guard driver == .registry || !dryRun else { throw ValidationError("--dry-run needs the registry driver") }
        guard idleTimeout > 0 else { throw ValidationError("--idle-timeout must be above 0") }
    }

    func run(_ scope: RefreshOptions.Scope) async throws {
        try await state.job(scope == .full ? .fullRefresh : .deltaRefresh, parameters(scope)) {
            let settings = try state.settings(
                storage.flags + registry.flags + [OnlineSettings.Flag("platforms", "--platform", platform)])
            let verdaccio = try settings.verdaccio(environment)
            let catalog = try state.catalog()
            defer { warnOfSpace(state, storage, catalog) }
            let line = RefreshLine()
            let refresher = Refresher(
                registry: registry.proxy(settings, verdaccio), layout: try settings.layout(verdaccio), catalog: catalog,
                progress: line.show)
            if driver == .packageManager {
                return try await install(refresher.packages(of: scope), from: settings.registry(verdaccio).value)
            }
            let options = try refreshOptions(scope, platforms: settings.platforms.value, catalog.wants())
            let report = try await Interruption.cancelling { try await refresher.run(options) }
            line.finish()
            try show(report)
            return report.asJob(isDryRun: dryRun)
        }
    }

    private func parameters(_ scope: RefreshOptions.Scope) -> [String: JSONValue?] {
        func list(_ words: [String]) -> JSONValue? { words.isEmpty ? nil : .array(words.map { .string($0) }) }
        func number(_ value: Int?, unless absent: Int?) -> JSONValue? { value == absent ? nil : value.map { .integer($0) } }
        var parameters: [String: JSONValue?] = [
            "parallelism": number(parallelism, unless: 16), "policies": list(policy.map(\.rawValue)), "platforms": list(platform),
            "node": list(node), "idleTimeout": number(idleTimeout, unless: 120),
            "driver": driver == .registry ? nil : .string(driver.rawValue), "tool": tool == .npm ? nil : .string(tool.rawValue),
            "installs": number(installs, unless: 2), "cpus": number(cpus, unless: nil),
            "installMinutes": number(installMinutes, unless: 10), "dryRun": dryRun ? true : nil,
        ]
        if case .delta(let minutes) = scope { parameters["minutes"] = .integer(minutes) }
        return parameters
    }

    private func refreshOptions(
        _ scope: RefreshOptions.Scope, platforms: [TargetPlatform], _ wants: [Want]
    ) throws -> RefreshOptions {
        var options = RefreshOptions()
        options.scope = scope
        if !policy.isEmpty { options.policies = Set(policy) }
        options.platforms = platforms
        options.nodes = node.compactMap { SemanticVersion($0) }
        options.parallelism = parallelism
        options.idleTimeout = .seconds(idleTimeout)
        options.isDryRun = dryRun
        for want in wants {
            let dependency = try RegistryDependency.read(argument: want.spec).get()
            if want.lockfile == nil { options.wanted.append(dependency) } else { options.locked.append(dependency) }
        }
        return options
    }

    // MARK: The package manager

    private func install(_ packages: [PackageName], from url: String) async throws -> JobReport {
        let directory = try state.directory()
        var settings = PackageManagerDriver.Settings(tool: tool, registry: url, workDirectory: directory.appending("work"))
        settings.parallelism = installs
        settings.processorLimit = cpus
        settings.timeout = .seconds(60 * installMinutes)
        let line = ProgressLine("installing", unit: .items("packages"))
        let log = Terminal.audience
        var results: [PackageInstall] = []
        // A tool's cache lasts as long as a batch, so that it does not grow with the storage.
        for start in stride(from: 0, to: packages.count, by: 200) {
            let driver = PackageManagerDriver(
                settings, log: { log?.hear("\($0): \($1)") },
                progress: { _, done, _ in line.update(Int64(start + done), of: Int64(packages.count)) })
            let batch = Array(packages[start..<min(start + 200, packages.count)])
            results += try await Interruption.cancelling { try await driver.install(batch) }
            if results.contains(where: { $0.outcome == .cancelled }) { break }
        }
        line.finish()
        return try show(results, of: packages.count)
    }

    private func show(_ results: [PackageInstall], of count: Int) throws -> JobReport {
        let failures = results.filter { $0.outcome != .installed && $0.outcome != .cancelled }
        let isCancelled = results.count < count || results.contains { $0.outcome == .cancelled }
        let installed = results.filter { $0.outcome == .installed }
        let failed: [JSONValue] = failures.map { ["package": .string($0.package.text), "reason": .string($0.reason)] }
        let report: JSONValue = [
            "ending": .string(isCancelled ? "cancelled" : failures.isEmpty ? "complete" : "incomplete"),
            "installed": .integer(installed.count), "packages": .integer(count), "failures": .array(failed),
        ]
        let words = "packages: \(count) looked at, \(installed.count) installed, \(failures.count) failed"
        if state.json {
            try Terminal.output(report.canonicalBytes + [0x0A])
        } else {
            for failure in failures.prefix(50) { Terminal.say("failure: \(failure.package): \(failure.reason)") }
            if failures.count > 50 { Terminal.say("… and \(failures.count - 50) more; --json lists them all") }
            try Terminal.output(words)
        }
        return JobReport(
            reason: words, exitCode: isCancelled ? 130 : failures.isEmpty ? 0 : 4, isFailure: installed.isEmpty && !failures.isEmpty,
            json: report.sums, touched: installed.map(\.package.text))
    }

    // MARK: The report

    private func show(_ report: RefreshReport) throws {
        if state.json { return try Terminal.output(report.json.canonicalBytes + [0x0A]) }
        say(report.findings.filter { $0.severity != .note })
        let notes = report.count(of: .note)
        if notes > 0 { Terminal.say("\(notes) notes; --json lists them") }
        let (packages, tarballs) = (report.packages, report.tarballs)
        if dryRun {
            let unknown = tarballs.ofUnknownSize > 0 ? ", \(tarballs.ofUnknownSize) of them of unknown size" : ""
            try Terminal.output("packages: \(packages.visited) would be refreshed")
            try Terminal.output(
                "tarballs: \(tarballs.needed) needed, \(tarballs.present) present, \(tarballs.fetched) to fetch, "
                    + "\(Terminal.bytes(tarballs.bytes))\(unknown)")
            return
        }
        try Terminal.output(
            "packages: \(packages.visited) looked at, \(packages.refreshed) fetched anew, \(packages.fresh) fresh already, "
                + "\(packages.gone) not upstream, \(packages.failed) not refreshed, \(report.touched.count) changed")
        try Terminal.output(
            "tarballs: \(tarballs.needed) needed, \(tarballs.present) present, \(tarballs.fetched) fetched, "
                + "\(Terminal.bytes(tarballs.bytes)), \(tarballs.failed) failed")
        if report.overlaid > 0 {
            try Terminal.output("upstream: \(report.overlaid) packages differ in deprecations, tags or withdrawn versions")
        }
        for (package, versions) in report.newVersions {
            try Terminal.output("+ \(package) \(versions.map(\.text).joined(separator: " "))")
        }
        let failures = Dictionary(grouping: report.findings.filter { $0.severity == .failure }, by: \.code)
        let kinds = failures.map { "\($0.value.count) \($0.key.rawValue)" }.sorted().joined(separator: ", ")
        Terminal.say(
            report.ending == .complete
                ? "complete"
                : report.ending == .cancelled ? "cancelled; run it again to go on" : "incomplete: \(kinds)")
    }
}

extension PackageInstall {
    /// What became of it, in words.
    fileprivate var reason: String {
        switch outcome {
        case .installed: "installed"
        case .timedOut: "it did not end in its time"
        case .cancelled: "cancelled"
        case .failed(let failure):
            switch failure.ending {
            case .exited(let code): "the tool ended with \(code)\(failure.code.map { ", \($0)" } ?? "")"
            case .signaled(let signal): "the tool was ended by signal \(signal)"
            case .notStarted: "the tool could not be started: \(failure.lastLines.last ?? "")"
            }
        }
    }
}

/// The progress of a refresh on one line.
private final class RefreshLine: Sendable {
    private let line = ProgressLine("refreshing", unit: .items("steps"))

    func finish() { line.finish() }

    func show(_ progress: RefreshProgress) {
        if let pause = progress.pause { return Terminal.say("waiting: \(pause)") }
        let details =
            "\(progress.packages.done) of \(progress.packages.known) packages, \(progress.tarballs.done) of \(progress.tarballs.known) "
            + "tarballs, \(Terminal.bytes(progress.bytes)) fetched"
        line.update(
            Int64(progress.packages.done + progress.tarballs.done), of: Int64(progress.packages.known + progress.tarballs.known),
            details: details)
    }
}

extension RefreshReport {
    /// A refresh that brought nothing of what it should has failed; one that could not have some of it has done its work.
    fileprivate func asJob(isDryRun: Bool) -> JobReport {
        let failures = Dictionary(grouping: findings.filter { $0.severity == .failure }, by: \.code)
        let kinds = failures.map { "\($0.value.count) \($0.key.rawValue)" }.sorted().joined(separator: ", ")
        let words =
            "\(packages.visited) packages looked at, \(tarballs.fetched) tarballs \(isDryRun ? "to fetch" : "fetched"), "
            + Terminal.bytes(tarballs.bytes)
        return JobReport(
            reason: ending == .incomplete ? "incomplete: \(kinds); \(words)" : words,
            exitCode: ending == .complete ? 0 : ending == .incomplete ? 4 : 130,
            isFailure: ending == .incomplete && packages.refreshed + packages.fresh == 0, json: json.sums, touched: touched.map(\.text))
    }
}
