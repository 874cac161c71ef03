import CanonicalJSON
import Foundation
import Jobs
import Platform
import SystemPackage
import Testing

@Suite struct JobStoreTests {
    /// A state directory, gone with this value.
    private final class Place {
        let root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-jobs-\(UUID().uuidString)")
        let files = DiskFileSystem()
        let store: JobStore

        init() throws {
            try files.createDirectories(root)
            store = try JobStore(state: root, clock: WallClock { Timestamp(nanoseconds: 1_795_000_000_000_000_000) })
        }

        deinit { try? files.removeTree(root) }

        /// Locks the file of a job, as its process does.
        func claim(_ id: Int64) throws -> ProcessLock {
            try files.createDirectories(root.appending("run"))
            return try ProcessLock(store.lock(of: id), holder: "a test")
        }

        func begin(_ kind: JobKind = .scan) throws -> (job: JobRecord, lock: ProcessLock) {
            var lock: ProcessLock?
            let job = try store.begin(kind, .none, by: .commandLine, process: 1) { lock = try claim($0) }
            return (job, try #require(lock))
        }
    }

    private let done = JobResult(state: .succeeded, exitCode: 0, reason: "done", report: ["files": 3], touched: ["b", "a", "b"])

    @Test func `a job keeps what it was asked for, through all that it goes through`() throws {
        let place = try Place()
        let parameters = try JobParameters(["minutes": 60, "policies": ["latest", "tags"], "dryRun": true], for: .deltaRefresh)
        let queued = try place.store.add(.deltaRefresh, parameters, by: .schedule("half-hourly"), timeLimit: 60)
        #expect(queued.state == .queued && queued.parameters == parameters && queued.asker == .schedule("half-hourly"))
        try place.store.wait(queued.id, for: "ferry-online scan")
        #expect(try place.store.job(queued.id)?.waiting == "ferry-online scan")
        let running = try place.store.start(queued.id, process: 4711)
        #expect(running.state == .running && running.process == 4711 && running.waiting == nil && running.started != nil)
        let progress = JobProgress(phase: "reading", done: 3, total: 9, unit: "files", item: "foo", rate: 1.5, secondsLeft: 4)
        try place.store.note(progress, of: queued.id)
        #expect(try place.store.job(queued.id)?.progress == progress)
        #expect(try place.store.end(queued.id, done))
        let ended = try #require(try place.store.job(queued.id))
        #expect(ended.state == .succeeded && ended.exitCode == 0 && ended.reason == "done" && ended.report == ["files": 3])
        #expect(ended.process == nil && ended.timeLimit == 60 && ended.touched == 3)
        #expect(try place.store.touched(by: queued.id, limit: 10, offset: 0).packages == ["a", "b"])
    }

    @Test func `what has ended stays as it is`() throws {
        let place = try Place()
        let job = try place.store.add(.scan, .none, by: .api)
        #expect(try place.store.cancelQueued(job.id, reason: "no"))
        let before = try place.store.job(job.id)
        #expect(throws: JobStore.Refusal.ended(job.id, .cancelled)) { try place.store.start(job.id, process: 1) }
        #expect(throws: JobStore.Refusal.ended(job.id, .cancelled)) { try place.store.cancelQueued(job.id, reason: "again") }
        #expect(try !place.store.end(job.id, done))
        try place.store.note(JobProgress(phase: "x", done: 1, total: 1, unit: "", item: "", rate: 0, secondsLeft: nil), of: job.id)
        #expect(try place.store.job(job.id) == before)
        #expect(throws: JobStore.Refusal.noSuchJob(99)) { try place.store.cancelQueued(99, reason: "") }
    }

    @Test func `one that runs is not cancelled as if it were queued`() throws {
        let place = try Place()
        let job = try place.store.add(.scan, .none, by: .api)
        _ = try place.store.start(job.id, process: 1)
        #expect(try !place.store.cancelQueued(job.id, reason: "no"))
        #expect(try place.store.job(job.id)?.state == .running)
    }

    @Test func `the same job is refused while it is open, and another one is not`() throws {
        let place = try Place()
        let first = try place.store.add(.check, .repairing, by: .api, isUnique: true)
        #expect(throws: JobStore.Refusal.duplicate(first.id)) { try place.store.add(.check, .repairing, by: .api, isUnique: true) }
        _ = try place.store.add(.check, .none, by: .api, isUnique: true)
        _ = try place.store.start(first.id, process: 1)
        #expect(throws: JobStore.Refusal.duplicate(first.id)) { try place.store.add(.check, .repairing, by: .api, isUnique: true) }
        try place.store.end(first.id, done)
        _ = try place.store.add(.check, .repairing, by: .api, isUnique: true)
    }

    @Test func `a number is never given again, not even after the record was lost`() throws {
        let place = try Place()
        let logs = place.root.appending("logs")
        try place.files.createDirectories(logs)
        for name in ["7.log", "12.log", "check-2026.log", "x.log"] { try place.files.write([], to: logs.appending(name)) }
        let first = try place.store.add(.scan, .none, by: .api)
        let second = try place.store.add(.scan, .none, by: .api)
        #expect(first.id == 13 && second.id == 14)
    }

    @Test func `a running job is interrupted just where nobody keeps its file locked`() throws {
        let place = try Place()
        let (alive, lock) = try place.begin()
        var (gone, other): (JobRecord, ProcessLock?) = try place.begin(.snapshot)
        let queued = try place.store.add(.scan, .none, by: .api)
        #expect(try place.store.markInterrupted() == [] && place.store.isAlive(gone.id))
        withExtendedLifetime(other) {}
        other = nil
        #expect(try place.store.markInterrupted() == [gone.id])
        gone = try #require(try place.store.job(gone.id))
        #expect(gone.state == .interrupted && gone.reason == "its process is gone")
        #expect(try place.files.status(of: place.store.lock(of: gone.id)) == nil)
        #expect(try place.store.job(alive.id)?.state == .running && place.store.job(queued.id)?.state == .queued)
        withExtendedLifetime(lock) {}
    }

    // MARK: Following

    @Test func `whoever follows by revision sees the last state of everything that changed`() throws {
        let place = try Place()
        let start = try place.store.revision()
        let one = try place.store.add(.scan, .none, by: .api)
        let two = try place.store.add(.check, .none, by: .api)
        #expect(try place.store.changes(after: start).map(\.id) == [one.id, two.id])
        let middle = try place.store.revision()
        _ = try place.store.start(one.id, process: 1)
        try place.store.end(one.id, done)
        let changes = try place.store.changes(after: middle)
        #expect(changes.map(\.id) == [one.id] && changes[0].state == .succeeded)
        #expect(try place.store.changes(after: place.store.revision()) == [])
        #expect(try place.store.changes(after: start).map(\.id) == [two.id, one.id])
    }

    @Test func `jobs are listed newest first, by kind, state and package`() throws {
        let place = try Place()
        for kind in [JobKind.scan, .check, .scan, .snapshot] {
            let job = try place.store.add(kind, .none, by: .api)
            _ = try place.store.start(job.id, process: 1)
            try place.store.end(
                job.id, JobResult(state: kind == .check ? .failed : .succeeded, exitCode: 0, reason: "", touched: [kind.rawValue]))
        }
        func list(_ change: (inout JobStore.Query) -> Void) throws -> [Int64] {
            var query = JobStore.Query()
            change(&query)
            return try place.store.jobs(query).jobs.map(\.id)
        }
        #expect(try list { _ in } == [4, 3, 2, 1])
        #expect(try list { $0.kinds = [.scan, .check] } == [3, 2, 1] && list { $0.states = [.failed] } == [2])
        #expect(try list { $0.package = "metadata_scan" } == [3, 1] && list { $0.package = "nothing" } == [])
        #expect(
            try list {
                $0.limit = 2
                $0.offset = 1
            } == [3, 2])
    }

    // MARK: What follows

    @Test func `what follows from a job is queued once, and knows its place`() throws {
        let place = try Place()
        let job = try place.store.add(.fullRefresh, .none, by: .api)
        _ = try place.store.start(job.id, process: 1)
        #expect(try place.store.unhandled() == [])
        try place.store.end(job.id, done)
        let root = try #require(try place.store.unhandled().first)
        let steps = [JobRequest(.scan), JobRequest(.check, .repairing), JobRequest(.diffBuild, .unlessEmpty)]
        let first = JobRecord.ChainPlace(name: "after", root: root.id, step: 0, steps: steps)
        for _ in 1...2 { try place.store.settle(root, chains: [first]) }
        let scan = try #require(try place.store.jobs(in: .queued).first)
        #expect(try place.store.jobs(in: .queued).count == 1 && place.store.unhandled() == [])
        #expect(scan.kind == .scan && scan.chain == first && scan.asker == .chain("after"))
        let next = try #require(scan.chain?.next)
        #expect(next.step == 1 && next.steps == steps && next.next?.next == nil)
        #expect(next.steps[1].parameters == .repairing)
    }

    @Test func `an interrupted job is queued again with its place in the chain`() throws {
        let place = try Place()
        let root = try place.store.add(.fullRefresh, .none, by: .api)
        _ = try place.store.start(root.id, process: 1)
        try place.store.end(root.id, done)
        let first = JobRecord.ChainPlace(name: "after", root: root.id, step: 0, steps: [JobRequest(.scan), JobRequest(.check)])
        try place.store.settle(try #require(try place.store.job(root.id)), chains: [first])
        let scan = try #require(try place.store.jobs(in: .queued).first)
        _ = try place.store.start(scan.id, process: 1)
        try place.store.end(scan.id, JobResult(state: .interrupted, exitCode: 130, reason: "gone"))
        try place.store.settle(try #require(try place.store.job(scan.id)), isResumed: true)
        let again = try #require(try place.store.jobs(in: .queued).first)
        #expect(again.kind == .scan && again.chain == first && again.resumptions == 1 && again.asker == .resumption(scan.id))
        #expect(try place.store.job(scan.id)?.chain == nil)
    }

    // MARK: Schedules

    @Test func `a schedule queues nothing while the same job is open, and its moment counts as seen to`() throws {
        let place = try Place()
        let begun = try place.store.schedule("scan", recurrence: "every hour").handled
        let later = Timestamp(nanoseconds: begun.nanoseconds + 3_600_000_000_000)
        let first = try #require(try place.store.fire("scan", JobRequest(.scan), handled: later, timeLimit: 9))
        #expect(first.asker == .schedule("scan") && first.timeLimit == 9)
        let muchLater = Timestamp(nanoseconds: later.nanoseconds + 1)
        #expect(try place.store.fire("scan", JobRequest(.scan), handled: muchLater, timeLimit: nil) == nil)
        let state = try place.store.schedule("scan", recurrence: "every hour")
        #expect(state.handled == muchLater && state.lastJob == first.id && !state.isPaused)
        try place.store.pause("scan", true)
        #expect(try place.store.schedule("scan", recurrence: "every hour").isPaused)
        // Another recurrence begins anew.
        #expect(try place.store.schedule("scan", recurrence: "every day").handled == begun)
    }
}
