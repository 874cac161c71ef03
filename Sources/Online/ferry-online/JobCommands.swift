import ArgumentParser
import CanonicalJSON
import Documents
import Glibc
import Jobs
import Platform
import Terminal

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "List what is to run, runs and ran; show one, its log, or end it.",
        discussion: """
            Every refresh, scan, check, repair, snapshot, bundle, export and prune is a job, whoever asked for it: a person, the server, a \
            schedule or a chain.

              ferry-online jobs --state-is failed
              ferry-online jobs show 42
              ferry-online jobs log 42 --follow
              ferry-online jobs cancel 42
            """,
        subcommands: [List.self, Show.self, Log.self, Cancel.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List jobs, newest first.")

        @Option(help: ArgumentHelp("Of this kind; repeat it.", valueName: "kind")) var kind: [JobKind] = []
        @Option(help: ArgumentHelp("In this state; repeat it.", valueName: "state")) var stateIs: [JobState] = []
        @Option(help: ArgumentHelp("Those that changed a package.", valueName: "name")) var package: String?
        @Option(help: ArgumentHelp("How many, up to 1000.", valueName: "n")) var limit = 50
        @OptionGroup var state: StateOptions

        func validate() throws {
            guard (1...1000).contains(limit) else { throw ValidationError("--limit must be from 1 to 1000") }
        }

        func run() throws {
            try reporting {
                let store = try JobStore(state: state.directory(needingRoom: false))
                try store.markInterrupted()
                var query = JobStore.Query()
                query.kinds = kind
                query.states = stateIs
                query.package = package
                query.limit = limit
                let page = try store.jobs(query)
                if state.json {
                    let value: JSONValue = ["total": .integer(page.total), "jobs": .array(page.jobs.map { $0.json(now: .now) })]
                    return try Terminal.output(value.canonicalBytes + [0x0A])
                }
                for job in page.jobs { try Terminal.output(job.line) }
                Terminal.say("\(page.jobs.count) of \(page.total) jobs")
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a job.")

        @Argument(help: "Its number.") var job: Int64
        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                let store = try JobStore(state: state.directory(needingRoom: false))
                try store.markInterrupted()
                let record = try store.require(job)
                if state.json { return try Terminal.output(record.json(now: .now).canonicalBytes + [0x0A]) }
                try Terminal.output(record.line)
                for (name, value) in record.parameters.values.sorted(by: { $0.key < $1.key }) {
                    try Terminal.output("  \(name): \(value.canonicalText)")
                }
                if let report = record.report { try Terminal.output("  \(report.canonicalText)") }
                if record.touched > 0 { try Terminal.output("  \(record.touched) packages were changed") }
                try Terminal.output("  log: \(store.log(of: job))")
            }
        }
    }

    struct Log: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "log", abstract: "Print the log of a job.")

        @Argument(help: "Its number.") var job: Int64
        @Flag(help: "Go on until it has ended.") var follow = false
        @OptionGroup var state: StateOptions

        func run() async throws {
            try await reporting {
                let store = try JobStore(state: state.directory(needingRoom: false))
                var position: Int64 = 0
                while true {
                    let isOver = try store.require(job).state.isEnded || !follow
                    if let reader = try FileReader(opening: store.log(of: job)) {
                        while case let bytes = try reader.read(1 << 16, at: position), !bytes.isEmpty {
                            try Terminal.output(bytes)
                            position += Int64(bytes.count)
                        }
                    }
                    if isOver { return }
                    try store.markInterrupted()
                    try await Task.sleep(for: .milliseconds(300))
                }
            }
        }
    }

    struct Cancel: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cancel",
            abstract: "End a job.",
            discussion: "One that is queued does not begin; one that runs ends in its own time. What it did by then stays and is whole.")

        @Argument(help: "Its number.") var job: Int64
        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                let store = try JobStore(state: state.directory(needingRoom: false))
                try store.markInterrupted()
                if try store.cancelQueued(job, reason: "cancelled before it began") { return Terminal.say("job \(job) is cancelled") }
                guard let process = try store.require(job).process, try store.isAlive(job) else { return }
                guard kill(process, SIGINT) == 0 else {
                    throw ValidationError("job \(job) runs as process \(process), which this user may not end")
                }
                Terminal.say("job \(job) was told to end")
            }
        }
    }
}

extension JobKind: ExpressibleByArgument {}
extension JobState: ExpressibleByArgument {}

extension JobStore {
    /// A job or its refusal.
    fileprivate func require(_ id: Int64) throws -> JobRecord {
        guard let job = try job(id) else { throw ValidationError("there is no job \(id); \"ferry-online jobs\" lists them") }
        return job
    }
}

extension JobRecord {
    /// The job in one line.
    fileprivate var line: String {
        let when = (started ?? created).description.prefix(19)
        let how = reason ?? waiting.map { "waits for \($0)" } ?? progress?.words ?? ""
        return "\(id)  \(state.rawValue)  \(kind.rawValue)  \(when)  by \(asker)\(how.isEmpty ? "" : "  \(how)")"
    }
}

extension JobProgress {
    fileprivate var words: String {
        let left = secondsLeft.map { ", \($0) s left" } ?? ""
        return "\(phase): \(done) of \(total) \(unit)\(left)"
    }
}

extension Timestamp {
    fileprivate static var now: Timestamp { WallClock.system.now() }
}
