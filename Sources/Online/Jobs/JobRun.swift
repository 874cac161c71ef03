package import CanonicalJSON
import Glibc
package import Platform
import Synchronization
import SystemPackage
package import Terminal

/// A job that this process runs: its log, its progress, its end.
///
/// As long as it lives, the file of its number is locked; with the process, whatever ends it, the lock goes, and whoever looks next marks the
/// job as interrupted.
package final class JobRun: Sendable {
    /// What ended it from outside.
    package enum Stop: Sendable, Hashable {
        case cancelled
        case timedOut
        /// The server ends.
        case shutdown
        /// The server is gone.
        case orphaned
    }

    private struct Phase {
        var title = ""
        var began: Int64 = 0
        var first: Int64 = 0
    }

    package let id: Int64
    private let store: JobStore
    private let timeLimit: Int64?
    private let log: LogFile
    private let lock: ProcessLock
    private let stop = Mutex<Stop?>(nil)
    private let phase = Mutex(Phase())
    private let clock: WallClock

    /// Begins a job that a person started, or goes on with one that is queued.
    ///
    /// - Parameters:
    ///   - queued: the number of the queued job; `nil` where there is none yet.
    /// - Throws: `JobStore.Refusal` where that job is not queued any more; `DatabaseFileError`, `FileSystemError`.
    package init(
        _ store: JobStore, _ kind: JobKind, _ parameters: JobParameters, queued: Int64?, clock: WallClock = .system
    ) throws {
        let holder = "job by process \(getpid())"
        let files = DiskFileSystem()
        try files.createDirectories(store.log(of: 0).removingLastComponent())
        try files.createDirectories(store.lock(of: 0).removingLastComponent())
        var claimed: ProcessLock?
        let record: JobRecord
        if let queued {
            claimed = try ProcessLock(store.lock(of: queued), holder: holder)
            record = try store.start(queued, process: getpid())
        } else {
            record = try store.begin(kind, parameters, by: .commandLine, process: getpid()) { id in
                claimed = try ProcessLock(store.lock(of: id), holder: holder)
            }
        }
        guard let claimed else { throw JobStore.Refusal.noSuchJob(record.id) }
        lock = claimed
        log = try LogFile(appendingTo: store.log(of: record.id))
        id = record.id
        timeLimit = record.timeLimit
        self.store = store
        self.clock = clock
        write("\(record.kind.rawValue) \(record.parameters.json.canonicalText), asked for by \(record.asker)")
    }

    /// Whom `Terminal` tells what it says.
    ///
    /// - Parameter isAlone: whether nobody watches.
    package func audience(isAlone: Bool) -> Terminal.Audience {
        Terminal.Audience(isAlone: isAlone, hear: { [self] line in write(line) }, follow: { [self] progress in note(progress) })
    }

    /// Appends a line to the log, with the time.
    package func write(_ line: String) { log.write("\(clock.now()) \(line)") }

    private func note(_ progress: Terminal.Progress) {
        let now = Timestamp.ofBoot().milliseconds
        let phase = phase.withLock { phase in
            if phase.title != progress.title { phase = Phase(title: progress.title, began: now, first: progress.done) }
            return phase
        }
        let elapsed = Double(now - phase.began) / 1000
        let rate = elapsed > 0 ? Double(progress.done - phase.first) / elapsed : 0
        let left = rate > 0 && progress.total >= progress.done ? Int64(Double(progress.total - progress.done) / rate) : nil
        let noted = JobProgress(
            phase: progress.title, done: progress.done, total: progress.total, unit: progress.unit, item: progress.details, rate: rate,
            secondsLeft: left)
        // Whoever looks does without; the work goes on.
        try? store.note(noted, of: id)
    }

    /// Notes why it is about to be ended; the first reason counts.
    package func stop(_ reason: Stop) { stop.withLock { $0 = $0 ?? reason } }

    /// Ends the job.
    ///
    /// - Parameter isCut: whether it was ended before its work was done.
    /// - Throws: `DatabaseFileError`; the job will be taken for interrupted.
    package func end(_ result: JobResult, isCut: Bool) throws {
        var result = result
        if isCut { (result.state, result.reason) = ending }
        write("\(result.state.rawValue): \(result.reason)")
        try store.end(id, result)
        _ = try? DiskFileSystem().remove(store.lock(of: id))
    }

    private var ending: (JobState, String) { (stop.withLock { $0 } ?? .cancelled).ending(timeLimit: timeLimit) }
}

extension JobRun.Stop {
    /// What a job is that was ended for it, and why, in words.
    ///
    /// - Parameter timeLimit: the job's.
    package func ending(timeLimit: Int64?) -> (state: JobState, reason: String) {
        switch self {
        case .cancelled: (.cancelled, "cancelled")
        case .timedOut: (.failed, "it took longer than \(timeLimit.map { "\($0) seconds" } ?? "it may")")
        case .shutdown: (.interrupted, "the server was stopped")
        case .orphaned: (.interrupted, "the server that started it is gone")
        }
    }
}

extension JSONValue {
    /// Its canonical form as a text.
    package var canonicalText: String { String(decoding: canonicalBytes, as: UTF8.self) }
}
