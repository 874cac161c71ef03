import Platform
import Scheduling
import Testing

@Suite struct ScheduleTests {
    private func schedule(_ text: String, jitter: Duration = .zero, missed: Schedule.Missed = .catchUp, name: String = "nightly") throws
        -> Schedule
    {
        Schedule(name: name, recurrence: try Recurrence(text), jitter: jitter, missed: missed)
    }

    private func at(_ text: String) throws -> Timestamp { try #require(Timestamp("2026-11-\(text)Z")) }

    /// The times of what is to be run, what is kept, and what is waited for.
    private func verdict(_ schedule: Schedule, last: String, now: String) throws -> [String] {
        let verdict = schedule.verdict(last: try at(last), now: try at(now))
        return [verdict.run?.nominal, verdict.handled, verdict.next?.nominal].map {
            $0.map { String($0.description.dropFirst(8).prefix(8)) } ?? "-"
        }
    }

    @Test func `nothing is due before its moment, and one run at it`() throws {
        let daily = try schedule("0 3 * * *")
        #expect(try verdict(daily, last: "24T03:00:00", now: "24T03:00:00") == ["-", "24T03:00", "25T03:00"])
        #expect(try verdict(daily, last: "24T03:00:00", now: "25T02:59:59.999") == ["-", "24T03:00", "25T03:00"])
        #expect(try verdict(daily, last: "24T03:00:00", now: "25T03:00:00") == ["25T03:00", "25T03:00", "26T03:00"])
        #expect(try verdict(daily, last: "25T03:00:00", now: "25T03:00:00.001") == ["-", "25T03:00", "26T03:00"])
    }

    @Test func `many missed moments count as one`() throws {
        for text in ["0 * * * *", "every hour"] {
            #expect(try verdict(schedule(text), last: "20T10:00:00", now: "24T12:34:00") == ["24T12:00", "24T12:00", "24T13:00"])
            #expect(try verdict(schedule(text), last: "24T12:00:00", now: "24T12:34:00") == ["-", "24T12:00", "24T13:00"])
        }
    }

    @Test func `what was missed is passed over where it shall be, and what is hardly late is not missed`() throws {
        let skipping = try schedule("0 * * * *", missed: .skip)
        #expect(try verdict(skipping, last: "20T10:00:00", now: "24T12:34:00") == ["-", "24T12:00", "24T13:00"])
        #expect(try verdict(skipping, last: "20T10:00:00", now: "24T12:01:00") == ["24T12:00", "24T12:00", "24T13:00"])
        #expect(try verdict(skipping, last: "20T10:00:00", now: "24T12:01:01") == ["-", "24T12:00", "24T13:00"])
        #expect(try verdict(skipping, last: "24T11:00:00", now: "24T12:00:00") == ["24T12:00", "24T12:00", "24T13:00"])
        // With jitter it is late only after its own start.
        let spread = try schedule("0 0 * * *", jitter: .seconds(3600), missed: .skip)
        let due = try #require(spread.next(after: at("24T12:00:00"), anchor: at("24T12:00:00")))
        #expect(due.start.nanoseconds - due.nominal.nanoseconds > 120_000_000_000)
        #expect(try spread.verdict(last: at("24T00:00:00"), now: due.start).run == due)
    }

    @Test func `a clock set back repeats nothing, and one that was far ahead starves nothing`() throws {
        for text in ["0 * * * *", "every hour"] {
            let hourly = try schedule(text)
            // Two seconds, half an hour, an hour: what was handled is not done again.
            for now in ["24T11:59:58", "24T11:30:00", "24T11:00:00"] {
                #expect(try verdict(hourly, last: "24T12:00:00", now: now) == ["-", "24T12:00", "24T13:00"], "\(text) \(now)")
            }
        }
        // Further back than to the next one: the clock was wrong, and counting begins anew.
        #expect(try verdict(schedule("0 * * * *"), last: "29T12:00:00", now: "24T10:30:00") == ["-", "24T10:30", "24T11:00"])
        #expect(try verdict(schedule("every hour"), last: "29T12:00:00", now: "24T10:30:00") == ["-", "24T10:30", "24T11:30"])
    }

    /// A clock that goes wild: what a runner does that asks whenever its clock says that something is due, or anything else.
    @Test(arguments: ["0 * * * *", "every hour", "*/7 3-5 * * * Europe/Berlin", "every 90 minutes"])
    func `however a clock jumps, a moment of it starts one run at most, and an honest clock is followed at once`(text: String) throws {
        let schedule = try schedule(text, jitter: .seconds(300))
        var random = SplitMix(state: 7)
        var last = try at("01T00:00:00")
        for _ in 0..<300 {
            let jump = Int64.random(in: -400_000...400_000, using: &random)
            let now = Timestamp(nanoseconds: try at("15T00:00:00").nanoseconds + jump * 1_000_000_000)
            let verdict = schedule.verdict(last: last, now: now)
            last = verdict.handled
            if let run = verdict.run { #expect(run.start <= now && run.nominal == last) }
            #expect(schedule.verdict(last: last, now: now).run == nil, "at the same moment again")
            // From here on the clock goes right: what comes next is not further away than two of the recurrence's own steps.
            let next = try #require(verdict.next)
            let one = try #require(schedule.recurrence.next(after: now, anchor: now))
            let two = try #require(schedule.recurrence.next(after: one, anchor: now))
            #expect(next.start > now && next.nominal <= two, "\(last) \(now)")
            #expect(schedule.verdict(last: last, now: next.start).run == next)
        }
    }

    @Test func `the clock of a machine without a battery starts in 1970, and then leaps`() throws {
        let daily = try schedule("0 3 * * *")
        let boot = Timestamp(nanoseconds: 0)
        let first = daily.verdict(last: try at("24T03:00:00"), now: boot)
        #expect(first.run == nil && first.handled == boot && first.next?.nominal.seconds == 3 * 3600)
        let second = daily.verdict(last: first.handled, now: try at("24T12:00:00"))
        #expect(try second.run?.nominal == at("24T03:00:00"))
        #expect(try second.next?.nominal == at("25T03:00:00"))
    }

    @Test(arguments: [
        "* * * * *", "*/5 2 * * * Europe/Berlin", "every 61 seconds", "0 3 * * *", "30 2 * * * Europe/Berlin",
        "0 */2 * * * Australia/Lord_Howe",
    ])
    func `jitter is within its bounds, and starts increase strictly`(text: String) throws {
        for jitter in [1, 59, 60, 3600, 86_400] {
            let schedule = try schedule(text, jitter: .seconds(jitter))
            let anchor = try #require(Timestamp("2026-10-24T00:00:00Z"))
            var before = try #require(schedule.next(after: anchor, anchor: anchor))
            var offsets: Set<Int64> = []
            for _ in 0..<300 {
                let due = try #require(schedule.next(after: before.nominal, anchor: anchor))
                #expect(due.nominal > before.nominal && due.start > before.start)
                #expect(due.nominal > before.start, "no run begins after the next is due")
                let offset = (due.start.nanoseconds - due.nominal.nanoseconds) / 1_000_000_000
                #expect((0..<Int64(jitter)).contains(offset))
                offsets.insert(offset)
                before = due
            }
            #expect(jitter == 1 || offsets.count > 20, "\(jitter)")
        }
    }

    @Test func `jitter is the same for everybody, and another for another name`() throws {
        let start = try at("24T12:00:00")
        func offset(_ name: String) throws -> Int64 {
            let due = try #require(try schedule("0 3 * * *", jitter: .seconds(3600), name: name).next(after: start, anchor: start))
            return (due.start.nanoseconds - due.nominal.nanoseconds) / 1_000_000_000
        }
        #expect(try [offset("nightly"), offset("weekly"), offset("")] == [886, 2934, 413])
        let many = try Set((0..<100).map { try offset("schedule \($0)") })
        #expect(many.count > 90)
    }

    @Test func `with jitter, the one before is due until the start has come`() throws {
        let schedule = try schedule("0 0 * * *", jitter: .seconds(3600))
        let due = try #require(schedule.next(after: at("24T12:00:00"), anchor: at("24T12:00:00")))
        let almost = Timestamp(nanoseconds: due.start.nanoseconds - 1)
        #expect(try schedule.verdict(last: at("24T00:00:00"), now: almost).run == nil)
        #expect(try schedule.verdict(last: at("24T00:00:00"), now: almost).next == due)
        #expect(try schedule.verdict(last: at("23T00:00:00"), now: almost).run?.nominal == at("24T00:00:00"))
        #expect(try schedule.verdict(last: at("23T00:00:00"), now: due.start).run == due)
    }
}
