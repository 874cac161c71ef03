import ArgumentParser
import CanonicalJSON
import Documents
import MediaLayout
import Mounts
import Platform
import Settings
import Snapshots
import SystemPackage
import Terminal

struct MediaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "media",
        abstract: "List, watch and prepare media.",
        discussion: """
            A medium is what can be pulled out, wherever it is mounted, and whatever is mounted below media.roots of the settings (/media, \
            /run/media and /mnt by default). What holds storage or state, and the disk that the system runs from, is none.
            """,
        subcommands: [MediaList.self, MediaWatchCommand.self, MediaInit.self, MediaEject.self], defaultSubcommand: MediaList.self)
}

struct MediaList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the media that are plugged in.")

    @OptionGroup var state: StateOptions

    func run() throws {
        try reporting {
            let media = try state.media().media(in: MountTable())
            if state.json {
                return try Terminal.output(JSONValue.array(media.map(\.json)).canonicalBytes + [0x0A])
            }
            for medium in media { try Terminal.output(medium.line) }
            if media.isEmpty { Terminal.say("no medium is plugged in") }
        }
    }
}

struct MediaWatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Say which media are plugged in and pulled out, until Ctrl-C.",
        discussion: "With --json one line for each: {\"event\": \"arrived\", \"medium\": …} or {\"event\": \"removed\", \"id\": …}.")

    @OptionGroup var state: StateOptions

    func run() async throws {
        try await reporting {
            let survey = try state.media()
            var known: [MountedMedium] = []
            for try await table in try MountTable.watch() {
                let media = survey.media(in: table)
                for medium in known where !media.contains(where: { $0.id == medium.id }) {
                    try say("removed", ("id", .string(medium.id.text)), medium)
                }
                for medium in media where !known.contains(where: { $0.id == medium.id }) {
                    try say("arrived", ("medium", medium.json), medium)
                }
                known = media
            }
        }
    }

    private func say(_ event: String, _ member: (name: String, value: JSONValue), _ medium: MountedMedium) throws {
        guard state.json else { return try Terminal.output("\(event)  \(medium.line)") }
        let object = JSONObject(uniqueMembers: [(name: "event", value: .string(event)), member])
        try Terminal.output(JSONValue.object(object).canonicalBytes + [0x0A])
    }
}

struct MediaInit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a medium one of ours: ferry/ with its papers and an empty index.",
        discussion: "What is there already stays. An export does the same by itself.")

    @Argument(help: ArgumentHelp("Where it is mounted.", valueName: "dir")) var directory: String

    func run() throws {
        try reporting {
            let path = FilePath(directory)
            let root = try DiskFileSystem().resolve(path) ?? path
            try MediumWriter(medium: Medium(mountedAt: root)).initialise()
            Terminal.say("\"\(root)\" is a medium of Ferry")
        }
    }
}

struct MediaEject: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eject", abstract: "Make a medium safe to be pulled out: write out what is in memory, and unmount it.")

    @Argument(help: ArgumentHelp("Where it is mounted.", valueName: "dir")) var directory: String

    func run() throws {
        try reporting {
            try Ejection(of: FilePath(directory)).run()
            Terminal.say("\"\(directory)\" is unmounted: it is safe to pull the medium out")
        }
    }
}

extension StateOptions {
    /// What finds the media that are plugged in.
    fileprivate func media() throws -> MediaSurvey {
        let settings = try settings()
        // Media can be looked for without a state.
        guard let state = settings.state.value else { return MediaSurvey(roots: settings.mediaRoots.value) }
        return try settings.media(state: state)
    }
}

extension MountedMedium {
    fileprivate var line: String {
        let what =
            switch content {
            case .ready(let entries): "\(entries.count) bundle(s)"
            case .uninitialised: "not one of ours yet"
            case .unusable(let words): "cannot be used: \(words)"
            }
        return
            "\(id)  \(mount.point)  \(label ?? mount.source)  \(mount.fileSystem)\(mount.isReadOnly ? ", read-only" : "")  "
            + "\(Terminal.bytes(space.freeBytes)) of \(Terminal.bytes(space.totalBytes)) free  \(what)"
    }
}
