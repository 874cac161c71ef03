import ArgumentParser
import CanonicalJSON
import ImportLedger
import Inspection
import Lockfiles
import PackageStore
import Platform
import Resolution
import SystemPackage
import Terminal

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Compare the storage with what the ledger says it should hold.",
        discussion: """
            Reads every tarball and compares it with what was imported or, where it was published here, with what its version declares. \
            Changes nothing, and Verdaccio may go on serving. What is damaged is healed by importing a bundle again that carries it. \
            Exit code 3: damage was found.
            """)

    @Flag(help: "Compare sizes only, and read no tarball.") var quick = false
    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions

    func run() throws {
        try reporting {
            let ledger = try state.ledger()
            state.announceProgress()
            let line = ProgressLine("checking", unit: .items("packages"))
            let check = StorageCheck(layout: try storage.layout(), ledger: ledger, readsAll: !quick) { line.update($0, of: $1) }
            let report = try check.run()
            line.finish()
            let labels = Dictionary(try ledger.imports().map { ($0.id, "import \($0.id) (\($0.label) #\($0.sequence))") }) { first, _ in
                first
            }
            for issue in report.issues {
                if state.json {
                    let value: JSONValue = [
                        "event": "issue", "code": .string(issue.code.rawValue), "damage": .bool(issue.code.isDamage),
                        "subject": .string(issue.subject),
                        "message": .string(issue.message), "import": issue.importID.map { .integer($0) } ?? .null,
                    ]
                    try Terminal.output(value.canonicalBytes + [0x0A])
                } else {
                    let source = issue.importID.flatMap { labels[$0] }.map { "; it came with \($0)" } ?? ""
                    try Terminal.output("\(issue.code.rawValue): \(issue.subject): \(issue.message)\(source)")
                }
            }
            for finding in report.findings { Terminal.say("\(finding)") }
            let damage = report.issues.count(where: \.code.isDamage)
            Terminal.say(
                "\(report.packages) packages, \(report.tarballs) tarballs, \(Terminal.bytes(report.bytes)) read: "
                    + (damage == 0 ? "no damage" : "\(damage) damaged"))
            if report.isDamaged { throw ExitCode(3) }
        }
    }
}

struct ClosureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "closure", abstract: "Say which installs would fail here, and why.",
        discussion: """
            By npm's own rules, for each platform: of every version that is here, of packages that are named (react@18), or of a \
            project's lockfile of npm, pnpm or Yarn. Nothing is run and nothing is fetched. Exit code 4: something could not be installed.
            """)

    @Argument(help: ArgumentHelp("Packages, with a version, range or tag.", valueName: "package[@wanted]")) var packages: [String] = []
    @Option(help: ArgumentHelp("A project's lockfile.", valueName: "file")) var lockfile: String?
    @Option(help: ArgumentHelp("linux-x64, linux-arm64-musl, win32-x64 …; may be given several times.", valueName: "platform"))
    var platform: [String] = []
    @Option(
        help: ArgumentHelp(
            "The Node that is there; what wants another one is listed.",
            discussion: "npm only warns of that, unless it is told to be strict.",
            valueName: "version"))
    var node: String?
    @Flag(help: "List what runs a script when it is installed, also where everything is asked for.") var scripts = false
    @OptionGroup var storage: StorageOptions
    @Flag(help: "Print JSON for machines.") var json = false

    func validate() throws {
        for text in platform where TargetPlatform(text) == nil {
            throw ValidationError("\"\(text)\" is no platform: linux-x64, win32-x64 …")
        }
        if let node, SemanticVersion(node) == nil { throw ValidationError("\"\(node)\" is no version of Node: 20.11.0") }
        for text in packages {
            if case .failure(let problem) = RegistryDependency.read(argument: text) { throw ValidationError("\(problem)") }
        }
        if lockfile != nil, !packages.isEmpty { throw ValidationError("name packages, or a lockfile") }
    }

    func run() throws {
        try reporting {
            let subject = try self.subject()
            let run = try ClosureRun(storage.layout())
            let platforms = platform.isEmpty ? [.current] : platform.compactMap { TargetPlatform($0) }
            var isWhole = true
            for damage in run.unreadable { Terminal.say("warning: \(damage.subject): \(damage.reasons.joined(separator: "; "))") }
            for platform in platforms {
                let report = run.report(subject, on: platform, node: node.flatMap { SemanticVersion($0) })
                isWhole = isWhole && report.failures.isEmpty
                try show(report)
            }
            if !isWhole { throw ExitCode(4) }
        }
    }

    private func subject() throws -> ClosureRun.Subject {
        if let lockfile {
            guard let bytes = try DiskFileSystem().contents(of: FilePath(lockfile), limit: Lockfile.sizeLimit) else {
                throw ValidationError("there is no lockfile at \"\(lockfile)\"")
            }
            let parsed = try Lockfile(parsing: bytes, name: lockfile)
            for finding in parsed.findings { Terminal.say("warning: \(finding)") }
            return .lockfile(parsed)
        }
        let wishes = packages.compactMap { try? RegistryDependency.read(argument: $0).get() }
        return wishes.isEmpty ? .everything : .wishes(wishes)
    }

    private func show(_ report: ClosureRun.Report) throws {
        if json {
            let value: JSONValue = [
                "platform": .string(report.platform.description), "installable": .integer(report.installable),
                "otherPlatforms": .integer(report.elsewhere),
                "failures": .array(
                    report.failures.map { ["subject": .string($0.subject), "reasons": .array($0.reasons.map { .string($0) })] }),
                "scripted": .array(report.scripted.map { .string($0) }),
                "otherNode": .array(report.otherNode.map { .string($0) }),
            ]
            return try Terminal.output(value.canonicalBytes + [0x0A])
        }
        for failure in report.failures {
            let more = failure.reasons.count > 3 ? "; and \(failure.reasons.count - 3) more" : ""
            try Terminal.output("\(failure.subject) (\(report.platform)): \(failure.reasons.prefix(3).joined(separator: "; "))\(more)")
        }
        if scripts || lockfile != nil || !packages.isEmpty {
            for node in report.scripted { try Terminal.output("\(node) (\(report.platform)): runs a script when it is installed") }
        }
        for name in report.otherNode { try Terminal.output("\(name) (\(report.platform)): wants another Node") }
        let others = report.elsewhere > 0 ? ", \(report.elsewhere) are for other platforms or optional" : ""
        Terminal.say(
            "\(report.platform): \(report.installable) can be installed, \(report.failures.count) cannot\(others); "
                + "\(report.scripted.count) run a script when they are installed")
    }
}
