import Platform
import Scheduling
import Testing

@Suite struct CronExpressionTests {
    /// What is due after a moment, one after the other.
    private func due(_ text: String, after start: String, count: Int = 3) throws -> [String] {
        var moment = try #require(Timestamp(start))
        let recurrence = try Recurrence(text)
        return try (0..<count).map { _ in
            moment = try #require(recurrence.next(after: moment, anchor: moment))
            return "\(moment.description.prefix(16))Z"
        }
    }

    private func refusal(_ text: String) -> String {
        do throws(ScheduleError) {
            _ = try Recurrence(text)
            return "none"
        } catch {
            return error.reason
        }
    }

    @Test(arguments: [
        // 2026-11-24 is a Tuesday.
        ("* * * * *", ["11-24T12:01", "11-24T12:02", "11-24T12:03"]),
        ("*/15 * * * *", ["11-24T12:15", "11-24T12:30", "11-24T12:45"]),
        ("10-50/20 * * * *", ["11-24T12:10", "11-24T12:30", "11-24T12:50"]),
        ("0,30 6-7 * * *", ["11-25T06:00", "11-25T06:30", "11-25T07:00"]),
        ("59 23 31 * *", ["12-31T23:59"]),
        ("0 3 * * mon", ["11-30T03:00", "12-07T03:00", "12-14T03:00"]),
        ("0 3 * * 0", ["11-29T03:00", "12-06T03:00", "12-13T03:00"]),
        ("0 3 * * 7", ["11-29T03:00", "12-06T03:00", "12-13T03:00"]),
        ("0 3 * * 6-7", ["11-28T03:00", "11-29T03:00", "12-05T03:00"]),
        ("0 3 * * FRI-SUN/2", ["11-27T03:00", "11-29T03:00", "12-04T03:00"]),
        ("0 12 24-26 Dec *", ["12-24T12:00", "12-25T12:00", "12-26T12:00"]),
        ("@hourly", ["11-24T13:00", "11-24T14:00", "11-24T15:00"]),
        ("@daily", ["11-25T00:00", "11-26T00:00", "11-27T00:00"]),
        ("@midnight", ["11-25T00:00", "11-26T00:00", "11-27T00:00"]),
        ("@WEEKLY", ["11-29T00:00", "12-06T00:00", "12-13T00:00"]),
        ("@monthly", ["12-01T00:00"]),
        ("  0   3 *\t* *  ", ["11-25T03:00"]),
    ])
    func `each way to write a field means what it means to cron`(text: String, expected: [String]) throws {
        #expect(try due(text, after: "2026-11-24T12:00:00Z", count: expected.count) == expected.map { "2026-\($0)Z" })
    }

    @Test func `a year is a year`() throws {
        for text in ["@yearly", "@annually", "0 0 1 JAN *"] {
            #expect(try due(text, after: "2026-11-24T12:00:00Z", count: 2) == ["2027-01-01T00:00Z", "2028-01-01T00:00Z"])
        }
    }

    @Test func `what is due now is not due after now, to the nanosecond`() throws {
        let hourly = try Recurrence("@hourly")
        let full = try #require(Timestamp("2026-11-24T12:00:00Z"))
        for (offset, expected) in [(Int64(-1), "12:00"), (0, "13:00"), (1, "13:00"), (999_999_999, "13:00")] {
            let next = try #require(hourly.next(after: Timestamp(nanoseconds: full.nanoseconds + offset), anchor: full))
            #expect(next.description == "2026-11-24T\(expected):00.000Z", "\(offset)")
        }
        let before = Timestamp(nanoseconds: -1)
        #expect(hourly.next(after: before, anchor: before) == Timestamp(nanoseconds: 0))
    }

    @Test func `day of month and day of week match alternatively where both restrict`() throws {
        #expect(try due("0 0 1 * FRI", after: "2026-11-24T12:00:00Z") == ["2026-11-27T00:00Z", "2026-12-01T00:00Z", "2026-12-04T00:00Z"])
        // A star in front takes the restriction away, also with a step: odd days that are Mondays.
        #expect(try due("0 0 */2 * MON", after: "2026-11-24T12:00:00Z", count: 2) == ["2026-12-07T00:00Z", "2026-12-21T00:00Z"])
        #expect(try due("0 0 13 * *", after: "2026-11-24T12:00:00Z", count: 2) == ["2026-12-13T00:00Z", "2027-01-13T00:00Z"])
        #expect(try due("0 0 13 * */7", after: "2026-11-24T12:00:00Z", count: 2) == ["2026-12-13T00:00Z", "2027-06-13T00:00Z"])
        // The 30th of February never comes, but its Mondays do.
        #expect(try due("0 0 30 2 1", after: "2026-11-24T12:00:00Z", count: 2) == ["2027-02-01T00:00Z", "2027-02-08T00:00Z"])
    }

    @Test func `leap days are waited for, over a century without one too`() throws {
        #expect(try due("0 0 29 2 *", after: "2088-03-01T00:00:00Z") == ["2092-02-29T00:00Z", "2096-02-29T00:00Z", "2104-02-29T00:00Z"])
        #expect(try due("0 0 29 2 *", after: "1999-03-01T00:00:00Z", count: 1) == ["2000-02-29T00:00Z"])
        #expect(try due("0 0 29 2 */7", after: "2026-01-01T00:00:00Z", count: 4).map { $0.prefix(4) } == ["2032", "2060", "2088", "2128"])
        #expect(try due("0 0 31 */2 *", after: "2026-01-31T00:00:00Z", count: 2) == ["2026-03-31T00:00Z", "2026-05-31T00:00Z"])
    }

    /// Minute by minute this would take days.
    @Test(.timeLimit(.minutes(1))) func `what is far away is not walked to`() throws {
        for _ in 0..<300 {
            _ = try due("0 0 29 2 */7", after: "2088-03-01T00:00:00Z", count: 1)
            _ = try due("0 0 29 2 1", after: "2026-03-01T00:00:00Z", count: 1)
        }
    }

    @Test(arguments: [
        ("0 0 30 2 *", "day of month: no month of it has a day 30, so it would never be due"),
        ("0 0 30,31 FEB *", "day of month: no month of it has a day 30,31, so it would never be due"),
        ("0 0 31 4,6,9,11 */2", "day of month: no month of it has a day 31, so it would never be due"),
        ("60 * * * *", "minute: \"60\" is out of range; 0 to 59 are allowed"),
        ("* 24 * * *", "hour: \"24\" is out of range; 0 to 23 are allowed"),
        ("* * 0 * *", "day of month: \"0\" is out of range; 1 to 31 are allowed"),
        ("* * * 13 *", "month: \"13\" is out of range; 1 to 12 and JAN to DEC are allowed"),
        ("* * * * 8", "day of week: \"8\" is out of range; 0 to 7 (0 and 7 are Sunday) and SUN to SAT are allowed"),
        ("* * * MON *", "month: \"MON\" is unknown; 1 to 12 and JAN to DEC are allowed"),
        ("* * * * JAN", "day of week: \"JAN\" is unknown; 0 to 7 (0 and 7 are Sunday) and SUN to SAT are allowed"),
        ("* 5-99 * * *", "hour: \"99\" in \"5-99\" is out of range; 0 to 23 are allowed"),
        ("* 22-2 * * *", "hour: \"22-2\" goes backwards; over the end it is written 22-23,0-2"),
        ("*/0 * * * *", "minute: \"0\" is no step; 1 to 59 are allowed"),
        ("*/90 * * * *", "minute: \"90\" is no step; 1 to 59 are allowed"),
        ("*/ * * * *", "minute: \"\" is no step; 1 to 59 are allowed"),
        ("1-9/2/2 * * * *", "minute: \"1-9/2/2\" has more than one step"),
        ("1-5-9 * * * *", "minute: \"1-5-9\" is no range, such as 0-59"),
        ("5/15 * * * *", "minute: \"5/15\" has a step without a range; 5-59/15 may be meant"),
        ("1,,2 * * * *", "minute: \"1,,2\" has an empty place in its list"),
        ("-1 * * * *", "minute: \"\" in \"-1\" is unknown; 0 to 59 are allowed"),
        ("+1 * * * *", "minute: \"+1\" is unknown; 0 to 59 are allowed"),
        ("** * * * *", "minute: \"**\" is unknown; 0 to 59 are allowed"),
        ("1-* * * * *", "minute: \"*\" in \"1-*\" is unknown; 0 to 59 are allowed"),
        ("\u{661} * * * *", "minute: \"\u{661}\" is unknown; 0 to 59 are allowed"),
        ("99999999999999999999 * * * *", "minute: \"99999999999999999999\" is unknown; 0 to 59 are allowed"),
        ("0 0 L * *", "day of month: \"L\" is unknown; 1 to 31 are allowed"),
        ("0 3 * *", "it has 4 fields; there are five: minute, hour, day of month, month, day of week"),
        ("", "it has 0 fields; there are five: minute, hour, day of month, month, day of week"),
        ("0 0 3 * * *", "it has 6 fields; there are five (no seconds), and a time zone may follow, such as Europe/Berlin"),
        (
            "@reboot",
            "there is no such shorthand; there are @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually"
        ),
    ])
    func `what is none names its field and what is allowed`(text: String, reason: String) {
        #expect(refusal(text) == reason)
    }
}
