import ArgumentParser
import BundleFormat
import CanonicalJSON
import ImportLedger
import ImportPipeline
import Inspection
import Integrity
import Keys
import Lockfiles
import MediaLayout
import Mounts
import PackageStore
import Platform
import Replies
import Replying
import Resolution
import Snapshots
import SystemPackage
import Terminal
import Verification

struct ReceiptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipt",
        abstract: "Say to the connected side what is here, signed, on a medium.",
        discussion: """
            Looks for every file of the state that was imported last, and writes a receipt for each origin below ferry/receipts of the \
            medium, with this destination's card and its requests. An import does the same by itself. What a receipt says is missing \
            comes with the next bundle.

              ferry-offline receipt --to /media/stick
            """)

    @OptionGroup var target: ReplyTarget
    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions

    func run() throws {
        try reporting {
            let ledger = try state.ledger()
            let maker = try state.replies(ledger, storage.layout())
            try locked(state, nil, work: "receipt") {
                for origin in try maker.origins() {
                    let receipt = try Receipt(parsing: maker.receipt(for: origin, isAsked: true).bytes)
                    Terminal.say(receipt.line)
                    if state.json { try Terminal.output(receipt.event.canonicalBytes + [0x0A]) }
                }
                try target.lay(maker, state, storage.layout())
            }
        }
    }
}

struct RequestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request",
        abstract: "Ask the connected side for packages, on a medium.",
        discussion: """
            Writes a signed request below ferry/requests of the medium. Once it is approved there, the packages are fetched with all that \
            they need, and the next bundle carries them. What is here already is not asked for, nor is what was published here.

              ferry-offline request react@18 typescript@~5.4 --to /media/stick
              ferry-offline request --lockfile package-lock.json
              ferry-offline request --from-closure --platform linux-x64     (what installs lack here)
              ferry-offline request --list
              ferry-offline request --withdraw r-…
            """)

    @Argument(help: ArgumentHelp("A package, with a version, range or tag where any will not do.", valueName: "name[@range]"))
    var specs: [String] = []
    @Option(help: ArgumentHelp("A project's lockfile: what of it is not here.", valueName: "file")) var lockfile: String?
    @Flag(help: "What would have to come in for everything that is here to be installable.") var fromClosure = false
    @Option(help: ArgumentHelp("With --from-closure: linux-x64, win32-x64 …; may be given several times.", valueName: "platform"))
    var platform: [String] = []
    @Option(help: ArgumentHelp("Whom to ask; the one origin that is known by default.", valueName: "id")) var origin: String?
    @Flag(help: "List the requests that stand.") var list = false
    @Option(help: ArgumentHelp("Take a request back.", valueName: "id")) var withdraw: String?
    @OptionGroup var target: ReplyTarget
    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions

    func validate() throws {
        let ways = [!specs.isEmpty, lockfile != nil, fromClosure, list, withdraw != nil].count { $0 }
        guard ways == 1 else { throw ValidationError("name packages, or --lockfile, or --from-closure, or --list, or --withdraw") }
        for spec in specs {
            if case .failure(let problem) = RegistryDependency.read(argument: spec) { throw ValidationError("\(problem)") }
        }
        for text in platform where TargetPlatform(text) == nil {
            throw ValidationError("\"\(text)\" is no platform: linux-x64, win32-x64 …")
        }
    }

    func run() throws {
        try reporting {
            let ledger = try state.ledger()
            let layout = try storage.layout()
            let maker = try state.replies(ledger, layout)
            try locked(state, nil, work: "request") {
                if list { return try show(maker.requests()) }
                if let withdraw {
                    guard try maker.withdraw(withdraw) else {
                        throw ValidationError("no request \"\(withdraw)\" stands; \"ferry-offline request --list\" shows them")
                    }
                    Terminal.say("request \(withdraw) is taken back")
                } else {
                    let origin = try self.recipient(ledger)
                    let wanted = try maker.lacking(wanted(layout))
                    guard !wanted.isEmpty else { return Terminal.say("everything is here; nothing was asked for") }
                    let request = try Request(maker.request(Set(wanted), of: origin), signedBy: maker.key)
                    Terminal.say("request \(request.id) for \(wanted.count) package(s)")
                    try show([request])
                }
                try target.lay(maker, state, layout)
            }
        }
    }

    private func wanted(_ layout: StorageLayout) throws -> [String] {
        if let lockfile {
            guard let bytes = try DiskFileSystem().contents(of: FilePath(lockfile), limit: Lockfile.sizeLimit) else {
                throw ValidationError("there is no lockfile at \"\(lockfile)\"")
            }
            let parsed = try Lockfile(parsing: bytes, name: lockfile)
            for finding in parsed.findings { Terminal.say("warning: \(finding)") }
            return try ClosureRun(layout).lacking(of: parsed)
        }
        guard fromClosure else { return specs }
        let run = try ClosureRun(layout)
        let platforms = platform.isEmpty ? [.current] : platform.compactMap { TargetPlatform($0) }
        return Set(platforms.flatMap { run.lacking(on: $0) }).sorted()
    }

    /// Whom to ask.
    private func recipient(_ ledger: Ledger) throws -> Identifier {
        if let origin {
            guard let id = Identifier(origin, .origin) else { throw ValidationError("\"\(origin)\" is not an origin's id (o-…)") }
            return id
        }
        let known = Set(try ledger.imports().map(\.origin) + (state.trust()?.entries.filter { !$0.isRetired }.map(\.origin) ?? []))
        guard let one = known.first, known.count == 1 else {
            throw ValidationError(
                known.isEmpty
                    ? "no origin is known yet; name it with --origin"
                    : "name one of the origins with --origin: \(known.map(\.text).sorted().joined(separator: ", "))")
        }
        return one
    }

    private func show(_ requests: [Request]) throws {
        for request in requests {
            switch request {
            case .want(let want):
                if state.json {
                    try Terminal.output(want.value.canonicalBytes + [0x0A])
                } else {
                    try Terminal.output("\(want.request)  \(want.created)  \(want.specs.joined(separator: " "))")
                }
            case .gap(let gap):
                if state.json {
                    try Terminal.output(gap.value.canonicalBytes + [0x0A])
                } else {
                    try Terminal.output(
                        "\(gap.request)  \(gap.created)  \(gap.missing.count) files that bundle \(gap.bundle) #\(gap.sequence) builds upon")
                }
            }
        }
    }
}

/// Where what goes back is laid.
struct ReplyTarget: ParsableArguments {
    @Option(
        name: .customLong("to"),
        help: ArgumentHelp(
            "Where the medium is mounted, or any directory; the media of ours that are plugged in by default.", valueName: "dir")
    )
    var directory: String?

    /// Lays it on the medium that is named, or on those that are plugged in and ours.
    func lay(_ maker: ReplyMaker, _ state: StateOptions, _ layout: StorageLayout) throws {
        if let directory {
            let path = FilePath(directory)
            guard let root = try DiskFileSystem().resolve(path) else { throw FileSystemError("open", path, .noSuchFileOrDirectory) }
            try maker.lay(into: Medium(root: root).folder)
            return Terminal.say("it lies in \"\(Medium(root: root).folder)\"; carry it to the connected side: ferry-online receive")
        }
        let media = MediaSurvey(roots: mediaRoots(), reserved: [layout.root, try state.directory()]).media(in: try MountTable())
        let places = media.compactMap { medium in
            if case .ready = medium.content, !medium.mount.isReadOnly { medium.mount.point } else { nil }
        }
        for place in places {
            try maker.lay(into: Medium(root: place).folder)
            Terminal.say("it lies on the medium at \"\(place)\"; carry it to the connected side")
        }
        if places.isEmpty {
            Terminal.say("no medium of ours is plugged in; \"ferry-offline receipt --to DIR\" lays it wherever you say")
        }
    }
}

extension StateOptions {
    /// Who this destination is, with its key.
    func identity(_ ledger: Ledger, name: String? = nil) throws -> DestinationIdentity {
        try DestinationIdentity(destination(ledger), ledger: ledger, ring: KeyRing(state: directory()), name: name)
    }

    /// What makes receipts and requests.
    func replies(_ ledger: Ledger, _ layout: StorageLayout) throws -> ReplyMaker {
        try ReplyMaker(identity(ledger), layout: layout, state: directory(), ledger: ledger)
    }
}

extension Receipt {
    fileprivate var line: String {
        let state = applied.map { "state #\($0.sequence) of \(origin)" } ?? "nothing of \(origin)"
        let words = missing.isEmpty ? "all of it is here" : "\(missing.count) files of it are missing"
        return "receipt \(counter): \(state); \(applied == nil ? "the next bundle is a full one" : words)"
            + (refused.isEmpty ? "" : "; \(refused.count) refused")
    }

    fileprivate var event: JSONValue {
        [
            "event": "receipt", "origin": .string(origin.text), "counter": .integer(counter),
            "sequence": applied.map { .integer($0.sequence) } ?? .null, "missing": .integer(missing.count),
            "refused": .integer(refused.count),
        ]
    }
}

/// Says back what came of an import: in the state, and on the media that its bundles lay on.
///
/// That it cannot be said is no failure of the import.
struct ImportReply {
    private let maker: ReplyMaker
    private var places: Set<String> = []
    private var origins: Set<Identifier> = []
    /// The bundles that were applied just now, by origin; the last of each.
    private var applied: [Identifier: Identifier] = [:]

    init(_ maker: ReplyMaker) {
        self.maker = maker
    }

    mutating func begin(at place: String) { places.insert(place) }

    mutating func note(_ report: ImportPipeline.Report) {
        let (bundle, origin) = (report.descriptor.bundle, report.descriptor.origin)
        origins.insert(origin)
        if report.result == .applied { applied[origin] = bundle }
    }

    /// Makes the receipts, and the request for what a bundle lacked.
    func send(_ gap: BundleGap? = nil) {
        do {
            if let gap {
                let request = try Request(maker.request(gap), signedBy: maker.key)
                Terminal.say("request \(request.id) asks for what is missing")
            }
            for origin in origins.union(gap.map { [$0.descriptor.origin] } ?? []) {
                let receipt = try Receipt(parsing: maker.receipt(for: origin, justApplied: applied[origin]).bytes)
                Terminal.say(receipt.line)
            }
        } catch { return complain(error, of: "the state") }
        for place in places.sorted() {
            do { try lay(at: place) } catch { complain(error, of: "\"\(place)\"") }
        }
    }

    /// A bundle that lies on no medium of ours leaves nothing to lay it on.
    private func lay(at place: String) throws {
        let files = DiskFileSystem()
        let root = try files.resolve(FilePath(place))
        let folders = [root, root?.removingLastComponent()].compactMap { $0 }.map { Medium(root: $0).folder }
        guard let folder = try folders.first(where: { try files.status(of: $0)?.kind == .directory }) else { return }
        try maker.lay(into: folder)
    }

    private func complain(_ error: any Error, of place: String) {
        Terminal.say("warning: what came of it could not be said in \(place): \(error)")
        Terminal.say("\"ferry-offline receipt --to DIR\" says it elsewhere")
    }
}
