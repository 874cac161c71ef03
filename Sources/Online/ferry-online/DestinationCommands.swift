import ArgumentParser
import BundleFormat
import CanonicalJSON
import Catalog
import Destinations
import Documents
import Integrity
import MediaLayout
import Mounts
import Platform
import Replies
import Settings
import Snapshots
import SystemPackage
import Terminal

struct DestinationsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destinations",
        abstract: "Say which isolated registries are known, and what each has.",
        discussion: """
            A destination becomes known by its card, which "ferry-offline receipt" puts on a medium and "ferry-online receive" reads. \
            Nothing it says counts before its key was confirmed by fingerprint.

              ferry-online destinations confirm d-… --fingerprint "0123 4567 …"
              ferry-online destinations set d-… --baseline assume-applied      (nothing ever comes back from there)
            """,
        subcommands: [List.self, Confirm.self, Set.self, Remove.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the destinations with what each has acknowledged, and what is on its way.")

        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                let catalog = try state.catalog()
                let now = WallClock.system.now()
                for destination in try catalog.knownDestinations() {
                    let standing = try DestinationStanding(destination, catalog: catalog, now: now)
                    if state.json {
                        try Terminal.output(standing.json.canonicalBytes + [0x0A])
                    } else {
                        for line in standing.lines { try Terminal.output(line) }
                    }
                }
            }
        }
    }

    struct Confirm: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "confirm",
            abstract: "Trust what a destination signs.",
            discussion:
                "The fingerprint is the one that \"ferry-offline init\" says on that side; ask for it by another way than the medium.")

        @Argument(help: ArgumentHelp("The destination's id.", valueName: "id")) var id: String
        @Option(help: ArgumentHelp("The fingerprint of its key, with or without spaces.", valueName: "digits")) var fingerprint: String
        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                guard let identifier = Identifier(id, .destination) else { throw NoSuchDestination(id: id) }
                try state.correspondence().confirm(identifier, fingerprint: fingerprint)
                Terminal.say("\(id) is confirmed; read its receipts with \"ferry-online receive\"")
            }
        }
    }

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "set", abstract: "Say how a destination is treated.")

        @Argument(help: ArgumentHelp("The destination's id.", valueName: "id")) var id: String
        @Option(
            help: ArgumentHelp(
                "What its bundles start from: acknowledged (what its last receipt says), or assume-applied (the third-last bundle that was "
                    + "put on a medium for it).", valueName: "policy"))
        var baseline: DestinationRecord.BaselinePolicy?
        @Option(help: ArgumentHelp("What becomes of its requests: ask, or approve.", valueName: "policy")) var requests: RequestPolicy?
        @Option(help: ArgumentHelp("Days without a receipt after which it is called quiet.", valueName: "days")) var quietDays: Int?
        @OptionGroup var state: StateOptions

        enum RequestPolicy: String, ExpressibleByArgument, CaseIterable { case ask, approve }

        func validate() throws {
            guard (1...3650).contains(quietDays ?? 1) else { throw ValidationError("--quiet-days must be from 1 to 3650") }
        }

        func run() throws {
            try reporting {
                let catalog = try state.catalog()
                guard let identifier = Identifier(id, .destination), var record = try catalog.knownDestination(identifier) else {
                    throw NoSuchDestination(id: id)
                }
                if let baseline { record.baseline = baseline }
                if let requests { record.approvesRequests = requests == .approve }
                if let quietDays { record.quietDays = quietDays }
                try catalog.keep(record)
                Terminal.say(
                    "\(record.name): baseline \(record.baseline.rawValue), requests \(record.approvesRequests ? "approve" : "ask"), "
                        + "quiet after \(record.quietDays) days")
            }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove",
            abstract: "Forget a destination, its receipts and its requests.",
            discussion: "Its next bundle is a full one. A card that is read again introduces it anew.")

        @Argument(help: ArgumentHelp("The destination's id.", valueName: "id")) var id: String
        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                guard let identifier = Identifier(id, .destination), try state.catalog().forgetDestination(identifier) else {
                    throw NoSuchDestination(id: id)
                }
                Terminal.say("\(id) is forgotten")
            }
        }
    }
}

extension DestinationRecord.BaselinePolicy: ExpressibleByArgument {}

struct Receive: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receive",
        abstract: "Read what came back: cards, receipts and requests of destinations.",
        discussion: """
            Without a path it looks at every medium that is plugged in; "serve" does so by itself when one arrives. A receipt moves what the \
            next bundle of its destination starts from. Forged, replayed and foreign documents are refused by name and change nothing.

            Exit codes: 0 all was read · 3 something was refused · 10 no medium of ours is plugged in.
            """)

    @Argument(help: ArgumentHelp("A medium, or any directory with \"ferry/\" in it.", valueName: "dir")) var path: String?
    @Flag(help: "Take a receipt that is no newer than the last one: its destination was restored from a backup.") var acceptOlder = false
    @OptionGroup var state: StateOptions

    func run() throws {
        try reporting {
            let correspondence = try state.correspondence()
            var isWhole = true
            for root in try places() {
                for outcome in try correspondence.read(Medium(root: root).folder, acceptsOlder: acceptOlder) {
                    if case .refused = outcome { isWhole = false }
                    if state.json {
                        try Terminal.output(outcome.json.canonicalBytes + [0x0A])
                    } else {
                        try Terminal.output("\(outcome)")
                    }
                }
            }
            if !isWhole { throw ExitCode(3) }
        }
    }

    private func places() throws -> [FilePath] {
        if let path {
            guard let root = try DiskFileSystem().resolve(FilePath(path)) else {
                throw FileSystemError("open", FilePath(path), .noSuchFileOrDirectory)
            }
            return [root.lastComponent?.string == "ferry" ? root.removingLastComponent() : root]
        }
        let media = try state.settings().media(state: state.directory()).media(in: MountTable())
        let ours = media.compactMap { medium in if case .ready = medium.content { medium.mount.point } else { nil } }
        guard !ours.isEmpty else {
            Terminal.say("no medium of ours is plugged in; name a directory")
            throw ExitCode(10)
        }
        return ours
    }
}

struct Requests: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requests",
        abstract: "Say what destinations ask for, and decide upon it.",
        discussion: """
            An approved request for packages is fetched by the next refresh, with all that it needs; the next bundle carries it, and the \
            receipt after that closes it. A request for a filler is answered by "ferry-online bundle --request r-…".
            """,
        subcommands: [List.self, Show.self, Approve.self, Decline.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the requests, the last first.")

        @Flag(help: "Only those that nobody has decided upon.") var new = false
        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                for record in try state.catalog().requests(in: new ? [.new] : nil) {
                    try Terminal.output(
                        state.json
                            ? String(decoding: record.json.canonicalBytes, as: UTF8.self)
                            : "\(record.id)  \(record.state.rawValue)  \(record.destination)  \(record.created)  \(record.words)")
                }
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Say what a request asks for.")

        @Argument(help: ArgumentHelp("The request's id.", valueName: "id")) var id: String
        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                guard let identifier = Identifier(id, .request), let (record, document) = try state.catalog().request(identifier) else {
                    throw NoSuchRequest(id: id)
                }
                if state.json { return try Terminal.output(document) }
                try Terminal.output("\(record.id)  \(record.state.rawValue)  \(record.destination)  \(record.created)  \(record.words)")
                switch record.kind {
                case .want: for spec in try WantRequest(parsing: document).specs { try Terminal.output(spec) }
                case .gap: for file in try GapRequest(parsing: document).missing { try Terminal.output("\(file.digest)  \(file.path)") }
                }
            }
        }
    }

    struct Approve: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "approve", abstract: "Approve a request.")

        @Argument(help: ArgumentHelp("The request's id.", valueName: "id")) var id: String
        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                let record = try decide(id, .approved, state)
                Terminal.say(
                    record.kind == .want
                        ? "\(id) is approved; the next refresh fetches it"
                        : "\(id) is approved; make the filler: ferry-online bundle --request \(id)")
            }
        }
    }

    struct Decline: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "decline", abstract: "Decline a request; what it wanted is wanted no more.")

        @Argument(help: ArgumentHelp("The request's id.", valueName: "id")) var id: String
        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                _ = try decide(id, .declined, state)
                Terminal.say("\(id) is declined")
            }
        }
    }
}

private func decide(_ id: String, _ decision: RequestRecord.State, _ state: StateOptions) throws -> RequestRecord {
    guard let identifier = Identifier(id, .request) else { throw NoSuchRequest(id: id) }
    try state.correspondence().decide(identifier, decision)
    guard let record = try state.catalog().request(identifier)?.record else { throw NoSuchRequest(id: id) }
    return record
}

extension RequestRecord {
    fileprivate var words: String {
        switch kind {
        case .want: "\(items) package(s)"
        case .gap: "\(items) files that bundle \(bundle?.text ?? "") builds upon"
        }
    }
}

extension StateOptions {
    /// What reads and answers destinations.
    func correspondence() throws -> Correspondence {
        let catalog = try catalog()
        return Correspondence(catalog: catalog, snapshots: try snapshots(), origin: try origin(catalog))
    }
}
