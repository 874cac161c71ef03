import Foundation
import Platform
import Scheduling
import Testing

@Suite struct DaylightSavingTests {
    /// Worked by hand: what is due after a moment, in UTC.
    @Test(arguments: [
        // Berlin goes from 02:00 to 03:00 on 2026-03-29 at 01:00 UTC, and from 03:00 to 02:00 on 2026-10-25 at 01:00 UTC.
        ("30 2 * * * Europe/Berlin", "2026-03-28T01:30", ["2026-03-29T01:00", "2026-03-30T00:30", "2026-03-31T00:30"]),
        ("30 2 * * * Europe/Berlin", "2026-10-24T00:30", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("0 2,3 * * * Europe/Berlin", "2026-03-28T03:00", ["2026-03-29T01:00", "2026-03-30T00:00", "2026-03-30T01:00"]),
        ("0 3 * * * Europe/Berlin", "2026-10-24T01:00", ["2026-10-25T02:00", "2026-10-26T02:00"]),
        ("*/20 2 * * * Europe/Berlin", "2026-03-29T00:59", ["2026-03-29T01:00", "2026-03-30T00:00"]),
        (
            "*/20 2 * * * Europe/Berlin", "2026-10-24T23:59",
            ["2026-10-25T00:00", "2026-10-25T00:20", "2026-10-25T00:40", "2026-10-26T01:00"]
        ),
        ("30 * * * * Europe/Berlin", "2026-03-29T00:00", ["2026-03-29T00:30", "2026-03-29T01:30", "2026-03-29T02:30"]),
        ("30 * * * * Europe/Berlin", "2026-10-24T23:59", ["2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"]),
        ("0 */2 * * * Europe/Berlin", "2026-03-28T22:59", ["2026-03-28T23:00", "2026-03-29T02:00", "2026-03-29T04:00"]),
        (
            "0 */2 * * * Europe/Berlin", "2026-10-24T21:59",
            ["2026-10-24T22:00", "2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T03:00"]
        ),
        // Asked within the hour that comes again: what was due in it the first time is over.
        ("30 2 * * * Europe/Berlin", "2026-10-25T01:10", ["2026-10-26T01:30"]),
        // New York goes from 02:00 to 03:00 on 2026-03-08 at 07:00 UTC, and from 02:00 to 01:00 on 2026-11-01 at 06:00 UTC.
        ("15 2 * * SUN America/New_York", "2026-03-01T07:15", ["2026-03-08T07:00", "2026-03-15T06:15"]),
        ("30 1 1 11 * America/New_York", "2026-01-01T00:00", ["2026-11-01T05:30", "2027-11-01T05:30"]),
        ("30 1 * * * America/New_York", "2026-10-31T05:30", ["2026-11-01T05:30", "2026-11-02T06:30"]),
        ("*/30 * * * * America/New_York", "2026-11-01T05:00", ["2026-11-01T05:30", "2026-11-01T06:00", "2026-11-01T06:30"]),
        // Lord Howe's hour is half as long: from 02:00 to 01:30 on 2026-04-04 at 15:00 UTC, from 02:00 to 02:30 on 2026-10-03 at 15:30 UTC.
        ("45 1 * * * Australia/Lord_Howe", "2026-04-03T14:45", ["2026-04-04T14:45", "2026-04-05T15:15"]),
        ("15 2 * * * Australia/Lord_Howe", "2026-10-01T15:45", ["2026-10-02T15:45", "2026-10-03T15:30", "2026-10-04T15:15"]),
        ("30 2 * * * Australia/Lord_Howe", "2026-10-02T16:00", ["2026-10-03T15:30", "2026-10-04T15:30"]),
        ("50 * * * * Australia/Lord_Howe", "2026-04-04T14:00", ["2026-04-04T14:50", "2026-04-04T15:20", "2026-04-04T16:20"]),
        // Kolkata is ahead by five hours and a half, always.
        ("0 6 * * * Asia/Kolkata", "2026-03-28T12:00", ["2026-03-29T00:30", "2026-03-30T00:30"]),
        ("15 * * * * Asia/Kolkata", "2026-03-28T12:00", ["2026-03-28T12:45", "2026-03-28T13:45"]),
        // In Cairo it is midnight that is skipped: from 00:00 to 01:00 on 2026-04-23 at 22:00 UTC.
        ("@daily Africa/Cairo", "2026-04-22T12:00", ["2026-04-22T22:00", "2026-04-23T22:00", "2026-04-24T21:00"]),
        // Samoa had no 30th of December in 2011.
        ("0 12 30 12 * Pacific/Apia", "2011-01-01T00:00", ["2011-12-30T10:00", "2012-12-29T22:00"]),
    ])
    func `an hour that is skipped and one that comes twice`(text: String, start: String, expected: [String]) throws {
        var moment = try #require(Timestamp("\(start):00Z"))
        let recurrence = try Recurrence(text)
        for due in expected {
            moment = try #require(recurrence.next(after: moment, anchor: moment))
            #expect(moment.description == "\(due):00.000Z")
        }
    }

    /// Days around which the clocks of a zone are set, of all kinds there are, and one where they are not.
    static let places: [(zone: String, day: String)] = [
        ("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25"), ("America/New_York", "2026-03-08"),
        ("America/New_York", "2026-11-01"), ("Australia/Lord_Howe", "2026-04-05"), ("Australia/Lord_Howe", "2026-10-04"),
        ("Asia/Kolkata", "2026-02-28"), ("Africa/Cairo", "2026-04-24"), ("Africa/Cairo", "2026-10-30"), ("Pacific/Apia", "2011-12-30"),
        ("America/Sao_Paulo", "2018-11-04"), ("Antarctica/Troll", "2026-03-29"), ("Antarctica/Troll", "2026-10-25"),
        ("America/Caracas", "2016-05-01"), ("Asia/Pyongyang", "2018-05-05"), ("America/St_Johns", "2011-11-06"), ("UTC", "2028-02-29"),
        ("Africa/Casablanca", "2026-03-22"), ("Asia/Kathmandu", "2026-12-31"),
    ]

    @Test(arguments: places)
    func `next agrees with a walk over every minute`(zone: String, day: String) throws {
        let centre = try #require(Timestamp("\(day)T00:00:00Z")).seconds
        let walk = try MinuteWalk(zone: zone, from: centre - 3 * 86_400, to: centre + 2 * 86_400)
        var random = SplitMix(state: zone.utf8.reduce(UInt64(centre)) { $0 &* 31 &+ UInt64($1) })
        for _ in 0..<50 {
            let expression = RandomExpression(&random)
            let recurrence = try Recurrence("\(expression.text) \(zone)")
            let start = Timestamp(nanoseconds: (centre - 86_400 + Int64.random(in: 0..<86_400, using: &random)) * 1_000_000_000)
            let expected = walk.due(expression, after: start.seconds)
            var found: [Int64] = []
            var moment = start
            while let next = recurrence.next(after: moment, anchor: moment), next.seconds < centre + 2 * 86_400 {
                try #require(next > moment)
                found.append(next.seconds)
                moment = next
            }
            #expect(found == expected, "\(expression.text) \(zone) after \(start)")
        }
    }
}

/// A cron expression as text and, apart from it, as what it means.
struct RandomExpression {
    private(set) var text = ""
    private(set) var fields: [Set<Int>] = []
    private(set) var isStarred: [Bool] = []

    init(_ random: inout SplitMix) {
        let ranges = [0...59, 0...23, 1...31, 1...12, 0...6]
        var words: [String] = []
        // Mostly so that something is due in few days, and so that something is not.
        for (index, stars) in [30, 35, 75, 85, 75].enumerated() {
            let range = ranges[index]
            if Int.random(in: 0..<100, using: &random) < stars {
                words.append("*")
                fields.append(Set(range))
                isStarred.append(true)
                continue
            }
            var numbers: Set<Int> = []
            var parts: [String] = []
            isStarred.append(false)
            for part in 0..<Int.random(in: 1...3, using: &random) {
                let low = index == 1 ? Int.random(in: 0...4, using: &random) : Int.random(in: range, using: &random)
                let high = Int.random(in: low...range.upperBound, using: &random)
                let step = Int.random(in: 1...(range.upperBound - range.lowerBound), using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0:
                    parts.append("\(low)-\(high)/\(step)")
                    numbers.formUnion(stride(from: low, through: high, by: step))
                case 1:
                    parts.append("*/\(step)")
                    numbers.formUnion(stride(from: range.lowerBound, through: range.upperBound, by: step))
                    if part == 0 { isStarred[index] = true }
                case 2:
                    parts.append("\(low)-\(high)")
                    numbers.formUnion(low...high)
                default:
                    parts.append("\(low)")
                    numbers.insert(low)
                }
            }
            words.append(parts.joined(separator: ","))
            fields.append(numbers)
        }
        // No days that never come.
        if fields[3].isDisjoint(with: [1, 3, 5, 7, 8, 10, 12]), fields[2].isDisjoint(with: 1...29) {
            words[3] = "*"
            fields[3] = Set(1...12)
            isStarred[3] = true
        }
        text = words.joined(separator: " ")
    }

    /// Whether it matches what a clock shows.
    func matches(_ shown: tm) -> Bool {
        guard fields[0].contains(Int(shown.tm_min)), fields[1].contains(Int(shown.tm_hour)), fields[3].contains(Int(shown.tm_mon) + 1)
        else {
            return false
        }
        let day = fields[2].contains(Int(shown.tm_mday))
        let weekday = fields[4].contains(Int(shown.tm_wday))
        return isStarred[2] || isStarred[4] ? day && weekday : day || weekday
    }
}

/// Every minute of a few days with what the clocks of a zone show.
struct MinuteWalk {
    private struct Minute {
        let second: Int64
        let shown: tm
        /// The clocks have shown this before.
        let isRepeated: Bool
        /// What they would have shown since the last minute.
        let skipped: [tm]
    }

    private var minutes: [Minute] = []

    init(zone identifier: String, from start: Int64, to end: Int64) throws {
        let zone = try #require(TimeZone(identifier: identifier))
        func shown(_ second: Int64) -> Int64 {
            (second + Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(second))))) / 60
        }
        func parts(_ shown: Int64) -> tm {
            var time = time_t(shown * 60)
            var parts = tm()
            gmtime_r(&time, &parts)
            return parts
        }
        var seen: Set<Int64> = []
        var before = shown(start - 60)
        for second in stride(from: start, to: end, by: 60) {
            let now = shown(second)
            let isRepeated = !seen.insert(now).inserted
            let skipped = (min(before + 1, now)..<now).map(parts)
            minutes.append(Minute(second: second, shown: parts(now), isRepeated: isRepeated, skipped: skipped))
            before = now
        }
    }

    /// The seconds at which an expression is due, by the rules as they are told to people.
    func due(_ expression: RandomExpression, after start: Int64) -> [Int64] {
        minutes.filter { minute in
            guard minute.second > start else { return false }
            if expression.isStarred[1] { return expression.matches(minute.shown) }
            return (!minute.isRepeated && expression.matches(minute.shown)) || minute.skipped.contains(where: expression.matches)
        }.map(\.second)
    }
}

/// The same numbers in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
