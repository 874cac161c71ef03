package import Jobs
package import Platform
import Scheduling
package import Settings

/// Queues what is due.
///
/// What was handled is in the store, so a restart neither repeats nor forgets; of what was missed, much counts as one. A job that is still
/// open is not queued again.
package actor Scheduler {
    /// A schedule as it stands.
    package struct Entry: Sendable {
        package let timetable: ServiceSettings.Timetable
        package let isPaused: Bool
        /// The next moments at which it starts; none while it is paused.
        package let next: [Timestamp]
        package let lastJob: Int64?
    }

    /// There is no schedule of that name.
    package struct Unknown: Error {
        package let name: String

        package init(name: String) {
            self.name = name
        }
    }

    private let store: JobStore
    private let timetables: [ServiceSettings.Timetable]
    private let clock: WallClock
    private var turned: Timestamp?

    package init(store: JobStore, timetables: [ServiceSettings.Timetable], clock: WallClock = .system) {
        self.store = store
        self.timetables = timetables
        self.clock = clock
    }

    /// When it last looked; `nil` before the first time.
    package var lastTurn: Timestamp? { turned }

    /// Queues what is due now.
    ///
    /// - Returns: whether something was queued.
    /// - Throws: `DatabaseFileError`; the next turn does it.
    @discardableResult
    package func turn() throws -> Bool {
        let now = clock.now()
        var isQueued = false
        for timetable in timetables {
            let (schedule, state) = (timetable.schedule, try state(of: timetable))
            let verdict = schedule.verdict(last: state.handled, now: now)
            guard verdict.handled != state.handled || verdict.run != nil else { continue }
            let request = verdict.run == nil || state.isPaused ? nil : timetable.request
            let job = try store.fire(schedule.name, request, handled: verdict.handled, timeLimit: timetable.timeLimit)
            isQueued = isQueued || job != nil
        }
        turned = now
        return isQueued
    }

    private func state(of timetable: ServiceSettings.Timetable) throws -> JobStore.ScheduleState {
        try store.schedule(timetable.schedule.name, recurrence: timetable.schedule.recurrence.description)
    }

    /// Every schedule, by name.
    ///
    /// - Parameter count: how many of the next moments are told.
    package func entries(next count: Int) throws -> [Entry] {
        try timetables.map { timetable in
            let state = try state(of: timetable)
            var next: [Timestamp] = []
            var moment = state.handled
            while !state.isPaused, next.count < count, let due = timetable.schedule.next(after: moment, anchor: moment) {
                next.append(due.start)
                moment = due.nominal
            }
            return Entry(timetable: timetable, isPaused: state.isPaused, next: next, lastJob: state.lastJob)
        }
    }

    /// Stops what a schedule starts, or lets it go on; what was missed meanwhile is passed over.
    package func pause(_ name: String, _ isPaused: Bool) throws {
        guard let timetable = timetables.first(where: { $0.schedule.name == name }) else { throw Unknown(name: name) }
        _ = try state(of: timetable)
        try store.pause(name, isPaused)
    }

    /// Queues the job of a schedule now, beside its times.
    ///
    /// - Throws: `Unknown`; `JobStore.Refusal.duplicate` where it is open.
    package func startNow(_ name: String) throws -> JobRecord {
        guard let timetable = timetables.first(where: { $0.schedule.name == name }) else { throw Unknown(name: name) }
        return try store.add(
            timetable.request.kind, timetable.request.parameters, by: .schedule(name), isUnique: true, timeLimit: timetable.timeLimit)
    }
}
