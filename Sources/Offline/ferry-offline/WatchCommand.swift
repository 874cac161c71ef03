import ArgumentParser
import Glibc
import MediaLayout
import Mounts
import PackageStore
import Platform
import Snapshots
import Synchronization
import SystemPackage
import Terminal

/// What is done about a medium that is plugged in.
enum ArrivalPolicy: String, ExpressibleByArgument, CaseIterable {
    /// Say what is on it, and how to import it.
    case announce
    /// Import it.
    case `import`
}

struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Wait for media, and announce or import what is on them.",
        discussion: """
            Media that are plugged in already are the first to be looked at. An import is the same as "ferry-offline import" without a path: what \
            is refused is said, and the next medium is waited for. It ends with SIGTERM or Ctrl-C: at once while it waits, after the bundle under \
            way while it imports; a second one ends it at once, and the next import completes the work.
            """)

    @Option(help: "What to do: \(ArrivalPolicy.allCases.map(\.rawValue).joined(separator: " or ")).") var policy = ArrivalPolicy.announce
    @OptionGroup var options: ImportOptions

    func run() async throws {
        let isWorking = Mutex(false)
        // Once more to be sure, before anybody waits: a wrong storage is told at once.
        try reporting {
            _ = try options.storage.layout()
            _ = try options.state.destination(options.state.ledger())
        }
        let survey = MediaSurvey(roots: mediaRoots(), reserved: [try options.storage.layout().root, try options.state.directory()])
        try await Interruption.ending(with: {
            guard isWorking.withLock({ $0 }) else { _exit(0) }
            Terminal.say("stopping after this bundle; once more to end at once")
        }) {
            var known: Set<Identifier> = []
            Terminal.say("waiting for media")
            for try await table in try MountTable.watch() {
                let media = survey.media(in: table)
                let arrived = media.filter { !known.contains($0.id) }
                known = Set(media.map(\.id))
                isWorking.withLock { $0 = true }
                if !arrived.isEmpty { greet(arrived) }
                isWorking.withLock { $0 = false }
                if Interruption.isAsked { return }
            }
        }
    }

    private func greet(_ media: [MountedMedium]) {
        var carriesSomething = false
        for medium in media {
            switch medium.content {
            case .unusable(let words): Terminal.say("warning: \(medium.medium) cannot be read: \(words)")
            case .uninitialised: Terminal.say("\(medium.medium) is not one of ours")
            case .ready(let entries):
                let bytes = entries.reduce(0) { $0 + $1.size } + medium.parts.reduce(0) { $0 + $1.size }
                let count = entries.count + medium.parts.count
                carriesSomething = carriesSomething || count > 0
                Terminal.say("\(medium.medium) carries \(count) bundle(s), \(Terminal.bytes(bytes))")
                if count > 0, policy == .announce { Terminal.say("import it with: ferry-offline import \"\(medium.mount.point)\"") }
            }
        }
        guard carriesSomething, policy == .import else { return }
        // Whatever goes wrong is told, with its hints, and ends neither the watch nor what comes next.
        try? reporting { try options.run([], mayAsk: false) }
    }
}
