package import CanonicalJSON
package import Platform

/// Where a job stands.
package enum JobState: String, Sendable, Hashable, CaseIterable {
    case queued
    case running
    /// It did its work; `JobRecord.outcome` says what came out.
    case succeeded
    case failed
    /// Somebody ended it.
    case cancelled
    /// Its process is gone, or was told to end, before it was done.
    case interrupted

    package var isEnded: Bool { self != .queued && self != .running }
}

/// Who asked for a job.
package enum JobAsker: Sendable, Hashable, CustomStringConvertible {
    case api
    case commandLine
    case mount
    /// A schedule, by its name.
    case schedule(String)
    /// A chain, by its name.
    case chain(String)
    /// A job that was interrupted, by its number.
    case resumption(Int64)

    package var description: String {
        switch self {
        case .api: "api"
        case .commandLine: "cli"
        case .mount: "mount"
        case .schedule(let name): "schedule:\(name)"
        case .chain(let name): "chain:\(name)"
        case .resumption(let job): "resumption:\(job)"
        }
    }

    init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        switch (parts.first, parts.count > 1 ? parts[1] : nil) {
        case ("api", nil): self = .api
        case ("cli", nil): self = .commandLine
        case ("mount", nil): self = .mount
        case ("schedule", let name?): self = .schedule(name)
        case ("chain", let name?): self = .chain(name)
        case ("resumption", let number?):
            guard let job = Int64(number) else { return nil }
            self = .resumption(job)
        default: return nil
        }
    }
}

/// How far a job is.
package struct JobProgress: Sendable, Hashable {
    /// The phase, such as `checking`.
    package var phase: String
    package var done: Int64
    package var total: Int64
    /// `bytes`, or what is counted.
    package var unit: String
    /// What it is at, in words.
    package var item: String
    /// Units a second, of this phase.
    package var rate: Double
    /// Seconds until this phase ends at that rate; `nil` where that cannot be told.
    package var secondsLeft: Int64?

    package init(phase: String, done: Int64, total: Int64, unit: String, item: String, rate: Double, secondsLeft: Int64?) {
        self.phase = phase
        self.done = done
        self.total = total
        self.unit = unit
        self.item = item
        self.rate = rate
        self.secondsLeft = secondsLeft
    }
}

/// What came out of a job.
package struct JobResult: Sendable, Equatable {
    package var state: JobState
    package var exitCode: Int32
    /// In a sentence: what was done, or why not.
    package var reason: String
    /// Sums, as the command prints them with `--json`, without long lists.
    package var report: JSONValue?
    /// The packages whose files it changed.
    package var touched: [String]

    package init(state: JobState, exitCode: Int32, reason: String, report: JSONValue? = nil, touched: [String] = []) {
        self.state = state
        self.exitCode = exitCode
        self.reason = reason
        self.report = report
        self.touched = touched
    }
}

/// A job that is to run, runs, or has ended.
package struct JobRecord: Sendable, Equatable {
    /// A run of a chain that a job belongs to.
    package struct ChainPlace: Sendable, Equatable {
        /// The chain's name.
        package let name: String
        /// The job that set it off.
        package let root: Int64
        /// Counts from 0.
        package let step: Int
        /// What the steps of this run are, whatever the settings say by now.
        package let steps: [JobRequest]

        package init(name: String, root: Int64, step: Int, steps: [JobRequest]) {
            self.name = name
            self.root = root
            self.step = step
            self.steps = steps
        }

        /// The place behind this one; `nil` at the end.
        package var next: ChainPlace? {
            step + 1 < steps.count ? ChainPlace(name: name, root: root, step: step + 1, steps: steps) : nil
        }
    }

    /// Counts from 1 and is never given again.
    package let id: Int64
    package let kind: JobKind
    package let parameters: JobParameters
    package let asker: JobAsker
    package let chain: ChainPlace?
    package let state: JobState
    package let created: Timestamp
    package let started: Timestamp?
    package let ended: Timestamp?
    /// Seconds that it may run; `nil` for no limit.
    package let timeLimit: Int64?
    /// Its process, while it runs.
    package let process: Int32?
    /// What a queued job waits for, in words.
    package let waiting: String?
    package let progress: JobProgress?
    package let exitCode: Int32?
    package let reason: String?
    package let report: JSONValue?
    /// How many packages it changed.
    package let touched: Int
    /// How often in a row it was begun again after an interruption.
    package let resumptions: Int
    /// Grows with every change of any job.
    package let revision: Int64

    /// Seconds that it ran, or has been running.
    package func duration(now: Timestamp) -> Double? {
        started.map { max(0, Double((ended ?? now).nanoseconds - $0.nanoseconds) / 1_000_000_000) }
    }
}
