import Platform
import Scheduling
import Testing

@Suite struct RecurrenceTests {
    private let noon = Timestamp(nanoseconds: 1_795_521_600_000_000_000)

    private func reason(_ text: String) -> String {
        do throws(ScheduleError) {
            _ = try Recurrence(text)
            return "none"
        } catch {
            return "\(error)"
        }
    }

    private func after(_ hours: Double) -> Timestamp { Timestamp(nanoseconds: noon.nanoseconds + Int64(hours * 3600) * 1_000_000_000) }

    @Test(arguments: [
        ("every 12 hours", "every 12 hours"), ("every 30 minutes", "every 30 minutes"), ("every 7 days", "every week"),
        ("every 14 days", "every 2 weeks"), ("Every  1 HOURS", "every hour"), ("every day", "every day"),
        ("every 1.5 hours", "every 90 minutes"),
        ("every 90 seconds", "every 90 seconds"), ("every 48hours", "every 2 days"), ("every 36500 days", "every 36500 days"),
        ("0 3 * * MON", "0 3 * * MON UTC"), (" 0  3 * * mon  Europe/Berlin ", "0 3 * * mon Europe/Berlin"), ("@daily", "@daily UTC"),
        ("@weekly Asia/Kolkata", "@weekly Asia/Kolkata"), ("0 3 * * * UTC", "0 3 * * * UTC"), ("0 3 * * * Etc/UTC", "0 3 * * * Etc/UTC"),
        ("*/5 * * * * Asia/Calcutta", "*/5 * * * * Asia/Calcutta"),
    ])
    func `a text comes back, and reads as the same`(text: String, written: String) throws {
        let recurrence = try Recurrence(text)
        #expect(recurrence.description == written)
        #expect(try Recurrence(written) == recurrence)
    }

    @Test func `a zone that the text does not name is the one given`() throws {
        let berlin = try ScheduleZone("Europe/Berlin")
        #expect(try Recurrence("0 3 * * *", zone: berlin).description == "0 3 * * * Europe/Berlin")
        #expect(try Recurrence("0 3 * * * UTC", zone: berlin).description == "0 3 * * * UTC")
        #expect(try Recurrence("@daily", zone: berlin).next(after: noon, anchor: noon)?.description == "2026-11-24T23:00:00.000Z")
    }

    @Test(arguments: [
        ("every", "a length of time follows \"every\", such as 12 hours"),
        ("every .5 hours", "a length of time follows \"every\", such as 12 hours"),
        ("every 1.2.3 hours", "a length of time follows \"every\", such as 12 hours"),
        ("every 5", "it has no unit; there are seconds, minutes, hours, days, weeks"),
        ("every 5 months", "\"months\" is no unit; there are seconds, minutes, hours, days, weeks"),
        ("every -5 hours", "\"-5 hours\" is no unit; there are seconds, minutes, hours, days, weeks"),
        ("every 59 seconds", "1 minute to 36500 days are allowed"), ("every 0 days", "1 minute to 36500 days are allowed"),
        ("every 36501 days", "1 minute to 36500 days are allowed"),
        ("every 1\(String(repeating: "0", count: 400)) days", "1 minute to 36500 days are allowed"),
        (
            "0 3 * * * Europe/Berln",
            "\"Europe/Berln\" is not a time zone: there is none of this name; names are such as Europe/Berlin, and UTC"
        ),
        ("0 3 * * * europe/berlin", "\"europe/berlin\" is not a time zone: it is written Europe/Berlin"),
        ("0 3 * * * EST", "\"EST\" is not a time zone: there is none of this name; names are such as Europe/Berlin, and UTC"),
        ("0 3 * * * GMT+5", "\"GMT+5\" is not a time zone: there is none of this name; names are such as Europe/Berlin, and UTC"),
        ("0 3 * * * Etc/GMT+5", "\"Etc/GMT+5\" is not a time zone: there is none of this name; names are such as Europe/Berlin, and UTC"),
        ("@daily ../../etc", "\"../../etc\" is not a time zone: there is none of this name; names are such as Europe/Berlin, and UTC"),
        ("@daily ", "none"),
    ])
    func `what is wrong is said`(text: String, words: String) {
        #expect(reason(text) == (words == "none" ? words : "\"\(text)\" is not a schedule: \(words)"))
    }

    @Test func `an interval counts from its anchor, however often it is asked`() throws {
        let recurrence = try Recurrence("every 12 hours")
        for (asked, expected) in [(0.0, 12.0), (1, 12), (11.99, 12), (12, 24), (13, 24), (100, 108)] {
            #expect(recurrence.next(after: after(asked), anchor: noon) == after(expected), "\(asked)")
        }
    }

    @Test func `an interval whose anchor lies in the future is waited for no longer than twice`() throws {
        let recurrence = try Recurrence("every 12 hours")
        // The anchor itself is when it ran, and not due.
        let century = -24 * 365 * 100.0
        let cases: [(asked: Double, expected: Double)] = [
            (-1, 12), (-11, 12), (-12, 12), (-13, -12), (-24, -12), (-25, -24), (century, century + 12),
        ]
        for (asked, expected) in cases {
            #expect(recurrence.next(after: after(asked), anchor: noon) == after(expected), "\(asked)")
        }
    }

    @Test func `the ends of time stamps are no trap`() throws {
        let (first, last) = (Timestamp(nanoseconds: .min), Timestamp(nanoseconds: .max))
        for text in ["every 36500 days", "every minute", "* * * * *", "30 2 * * * Europe/Berlin", "0 0 29 2 * America/New_York"] {
            let recurrence = try Recurrence(text)
            #expect(recurrence.next(after: last, anchor: last) == nil, "\(text)")
            #expect(recurrence.next(after: last, anchor: first) == nil, "\(text)")
            let early = try #require(recurrence.next(after: first, anchor: last), "\(text)")
            #expect(early > first)
            let schedule = Schedule(name: "a", recurrence: recurrence, jitter: .seconds(600))
            for (then, now) in [(first, last), (last, first), (last, last), (first, first)] { _ = schedule.verdict(last: then, now: now) }
        }
    }
}
