import Foundation
import Jobs
import Platform
import Scheduling
import Service
import Settings
import Synchronization
import SystemPackage
import Testing

@Suite struct SchedulerTests {
    /// A clock that stands still until time is made to pass.
    private final class Minutes: Sendable {
        let count = Mutex<Int64>(30_000_000)

        var now: Timestamp { Timestamp(nanoseconds: count.withLock { $0 } * 60_000_000_000) }
    }

    private final class Place: Sendable {
        let root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-scheduler-\(UUID().uuidString)")
        let minutes = Minutes()
        let store: JobStore
        var clock: WallClock { WallClock { [minutes] in minutes.now } }

        init() throws {
            try DiskFileSystem().createDirectories(root)
            let minutes = minutes
            store = try JobStore(state: root, clock: WallClock { minutes.now })
        }

        deinit { try? DiskFileSystem().removeTree(root) }

        func pass(_ count: Int64) { minutes.count.withLock { $0 += count } }

        func scheduler(_ when: String) throws -> Scheduler {
            let schedule = Schedule(name: "own", recurrence: try Recurrence(when))
            let settings = try OnlineSettings(
                file: SettingsFile(Array("schedules: {own: {job: metadata_scan, when: \(when)}}".utf8), path: "/ferry.yaml"),
                environment: { _ in nil })
            let timetable = try #require(settings.service.timetables.first { $0.schedule.name == schedule.name })
            return Scheduler(store: store, timetables: [timetable], clock: clock)
        }

        func end(_ job: JobRecord) throws {
            _ = try store.start(job.id, process: 1)
            try store.end(job.id, JobResult(state: .succeeded, exitCode: 0, reason: ""))
        }
    }

    @Test func `what is due is queued once, and not while it is open`() async throws {
        let place = try Place()
        let scheduler = try place.scheduler("every hour")
        #expect(try await !scheduler.turn())
        place.pass(59)
        #expect(try await !scheduler.turn())
        place.pass(1)
        #expect(try await scheduler.turn())
        #expect(try await !scheduler.turn())
        let first = try #require(try place.store.jobs(in: .queued).first)
        #expect(first.asker == .schedule("own"))
        place.pass(60)
        #expect(try await !scheduler.turn())
        try place.end(first)
        place.pass(60)
        #expect(try await scheduler.turn())
        #expect(try place.store.jobs(in: .queued).count == 1)
    }

    @Test func `another server goes on where the one before was, and much that was missed is made up for once`() async throws {
        let place = try Place()
        _ = try await place.scheduler("every hour").turn()
        place.pass(60 * 50 + 7)
        #expect(try await place.scheduler("every hour").turn())
        #expect(try place.store.jobs(in: .queued).count == 1)
        let entry = try #require(try await place.scheduler("every hour").entries(next: 3).first)
        let minutes = entry.next.map { $0.nanoseconds / 60_000_000_000 - 30_000_000 }
        #expect(minutes == [3060, 3120, 3180])
        #expect(entry.lastJob == 1 && !entry.isPaused)
    }

    @Test func `a paused schedule starts nothing, and makes up for nothing`() async throws {
        let place = try Place()
        let scheduler = try place.scheduler("every hour")
        _ = try await scheduler.turn()
        try await scheduler.pause("own", true)
        place.pass(200)
        #expect(try await !scheduler.turn())
        #expect(try await scheduler.entries(next: 3).first?.next.isEmpty == true)
        try await scheduler.pause("own", false)
        #expect(try await !scheduler.turn())
        place.pass(40)
        #expect(try await scheduler.turn())
        await #expect(throws: Scheduler.Unknown.self) { try await scheduler.pause("other", true) }
    }

    @Test func `a clock that goes back fires nothing twice`() async throws {
        let place = try Place()
        let scheduler = try place.scheduler("every hour")
        _ = try await scheduler.turn()
        place.pass(60)
        #expect(try await scheduler.turn())
        try place.end(try #require(try place.store.jobs(in: .queued).first))
        place.pass(-30)
        #expect(try await !scheduler.turn())
        place.pass(30)
        #expect(try await !scheduler.turn())
        place.pass(60)
        #expect(try await scheduler.turn())
    }

    @Test func `a schedule is started now, beside its times`() async throws {
        let place = try Place()
        let scheduler = try place.scheduler("every hour")
        let job = try await scheduler.startNow("own")
        #expect(job.kind == .scan && job.asker == .schedule("own"))
        await #expect(throws: JobStore.Refusal.duplicate(job.id)) { try await scheduler.startNow("own") }
    }
}
