import ArgumentParser
import CanonicalJSON
import Catalog
import Destinations
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
        subcommands: [MediaList.self, MediaWatchCommand.self, MediaInit.self, MediaClean.self, MediaEject.self],
        defaultSubcommand: MediaList.self)
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
            for medium in media {
                try Terminal.output(medium.line)
                for line in medium.contents { try Terminal.output("    \(line)") }
            }
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

struct MediaClean: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clean", abstract: "Remove bundles from a medium, to make room.",
        discussion: """
            "ferry-online media" lists those that are on it. What is removed is off the list first, so a medium that is pulled out meanwhile \
            lists whole bundles only. --acknowledged leaves what is still on its way: a bundle that a destination it was made for has not \
            acknowledged, or only with files missing, one for a destination that is not known, and one of another origin.
            """)

    @Argument(help: ArgumentHelp("Where it is mounted.", valueName: "dir")) var directory: String
    @Argument(help: ArgumentHelp("The bundles' ids.", valueName: "bundle")) var bundles: [String] = []
    @Flag(help: "Remove every bundle, and what killed exports left.") var all = false
    @Flag(help: "Remove the bundles whose state every destination that they were made for has acknowledged.") var acknowledged = false
    @Flag(help: "Say what would be removed, and remove nothing.") var dryRun = false
    @OptionGroup var state: StateOptions

    func validate() throws {
        guard [!bundles.isEmpty, all, acknowledged].count(where: { $0 }) == 1 else {
            throw ValidationError("name the bundles to remove, or say --acknowledged or --all")
        }
    }

    func run() throws {
        try reporting {
            let path = FilePath(directory)
            let medium = Medium(mountedAt: try DiskFileSystem().resolve(path) ?? path)
            // Nothing of ours is made where there is nothing.
            guard try medium.entries() != nil || !medium.parts().isEmpty else {
                throw MediumWriter.Refusal.notThere(medium, ["any bundle"])
            }
            let writer = MediumWriter(medium: medium, spent: acknowledged ? try state.spentBundles() : .none)
            let removed = try writer.clean(all ? .all : acknowledged ? .spent : .named(bundles), isDryRun: dryRun)
            if state.json {
                let items = removed.map {
                    JSONValue.object(
                        JSONObject(uniqueMembers: [
                            (name: "bundle", value: .string($0.bundle)), (name: "sizeBytes", value: .integer($0.bytes)),
                        ]))
                }
                try Terminal.output(JSONValue.array(items).canonicalBytes + [0x0A])
            } else {
                for (bundle, bytes) in removed { try Terminal.output("\(bundle)  \(Terminal.bytes(bytes))") }
            }
            let sum = Terminal.bytes(removed.reduce(0) { $0 + $1.bytes })
            Terminal.say("\(removed.count) bundle(s) of \(sum) \(dryRun ? "would be" : "are") removed from \(medium)")
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
    /// What everybody has acknowledged that it was made for, and so may go from media.
    func spentBundles() throws -> SpentBundles {
        let catalog = try catalog()
        return SpentBundles(Set(try acknowledgedBundles(catalog).map(\.id.text)), of: try origin(catalog).text)
    }

    /// What finds the media that are plugged in.
    fileprivate func media() throws -> MediaSurvey {
        let settings = try settings()
        // Media can be looked for without a state.
        guard let state = settings.state.value else { return MediaSurvey(roots: settings.mediaRoots.value) }
        return try settings.media(state: state)
    }
}

extension MountedMedium {
    /// What lies on it, a line each.
    fileprivate var contents: [String] {
        var entries: [MediumEntry] = []
        if case .ready(let listed) = content { entries = listed }
        return entries.map { entry in
            let summary = entry.descriptor
            return "\(summary.bundle)  \(summary.label)  #\(summary.sequence)  for \(summary.destination)  \(Terminal.bytes(entry.size))"
        }
            + parts.map { part in
                let summary = part.descriptor
                return "\(summary.bundle)  \(summary.label)  #\(summary.sequence)  for \(summary.destination)  "
                    + "volumes \(part.numbers.ranges) of \(part.cut.count), \(Terminal.bytes(part.size))"
            }
    }

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
