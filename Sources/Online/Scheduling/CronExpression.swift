/// A cron expression: minute, hour, day of month, month, day of week.
///
/// In a field stand `*`, a number, a range `10-50`, either star or range with a step `*/15`, or a list of these; months and days of the week
/// have names, and 0 and 7 are Sunday. `@hourly`, `@daily` or `@midnight`, `@weekly`, `@monthly`, `@yearly` or `@annually` stand for all five.
/// A field that begins with `*` does not restrict. Where day of month and day of week both do, a day needs to match only one of them, as
/// with every cron; else both.
package struct CronExpression: Sendable, Hashable, CustomStringConvertible {
    /// As it was written, with single spaces.
    package let description: String
    private let minutes: CronField.Values
    private let hours: CronField.Values
    private let daysOfMonth: CronField.Values
    private let months: CronField.Values
    private let daysOfWeek: CronField.Values

    /// Reads an expression.
    ///
    /// - Throws: `ScheduleError`, which names the field and what is allowed; also for days that no month has, such as the 30th of February.
    package init(_ text: String) throws(ScheduleError) {
        let words = text.split(whereSeparator: \.isWhitespace)
        var fields = words
        if let first = words.first, first.hasPrefix("@") {
            guard words.count == 1, let meaning = Self.shorthands.first(where: { $0.name == first.lowercased() })?.meaning else {
                let known = Self.shorthands.map(\.name).joined(separator: ", ")
                throw ScheduleError(text, reason: "there is no such shorthand; there are \(known)")
            }
            fields = meaning.split(separator: " ")
        }
        guard fields.count == CronField.allCases.count else {
            let names = CronField.allCases.map(\.rawValue).joined(separator: ", ")
            throw ScheduleError(text, reason: "it has \(fields.count) fields; there are five: \(names)")
        }
        var values: [CronField.Values] = []
        for (field, word) in zip(CronField.allCases, fields) {
            do throws(CronField.Complaint) {
                values.append(try field.read(word))
            } catch {
                throw ScheduleError(text, reason: "\(field.rawValue): \(error.words)")
            }
        }
        (minutes, hours, daysOfMonth, months, daysOfWeek) = (values[0], values[1], values[2], values[3], values[4])
        description = words.joined(separator: " ")
        guard !needsBoth || hasDay else {
            throw ScheduleError(text, reason: "day of month: no month of it has a day \(fields[2]), so it would never be due")
        }
    }

    private static let shorthands: [(name: String, meaning: String)] = [
        ("@hourly", "0 * * * *"), ("@daily", "0 0 * * *"), ("@midnight", "0 0 * * *"), ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"), ("@yearly", "0 0 1 1 *"), ("@annually", "0 0 1 1 *"),
    ]

    /// Whether it goes by hours that pass, and not by hours of the day: its hour begins with `*`.
    var isElapsing: Bool { hours.isStarred }

    /// Whether a day must match both fields for days.
    private var needsBoth: Bool { daysOfMonth.isStarred || daysOfWeek.isStarred }

    /// Whether some month has one of the days of the month.
    private var hasDay: Bool {
        guard let day = daysOfMonth.first(from: 1) else { return false }
        return (1...12).contains { months.contains($0) && day <= CivilDate.longestMonths[$0 - 1] }
    }

    /// The longest that a day is waited for, in months: a leap day on one day of the week, over a century that is no leap year.
    private static let horizon = 41 * 12

    /// The first minute that matches, from a minute on; both are counted from 1970 on clocks without a zone.
    ///
    /// Every expression that can be made has one.
    func firstMinute(from start: Int64) -> Int64? {
        let startDay = Int(start.flooredQuotient(1440))
        let startMinute = Int(start - Int64(startDay) * 1440)
        var date = CivilDate(daysSince1970: startDay)
        if let minute = time(from: startMinute), matches(date, onDay: startDay) { return Int64(startDay) * 1440 + Int64(minute) }
        date.day += 1
        for _ in 0...Self.horizon {
            if months.contains(date.month), let day = firstDay(from: date), let minute = time(from: 0) {
                return Int64(day) * 1440 + Int64(minute)
            }
            date = CivilDate(year: date.month == 12 ? date.year + 1 : date.year, month: date.month % 12 + 1, day: 1)
        }
        return nil
    }

    /// The first minute of a day, of 1440, that matches; not before `start`.
    private func time(from start: Int) -> Int? {
        if hours.contains(start / 60), let minute = minutes.first(from: start % 60) { return start / 60 * 60 + minute }
        guard let hour = hours.first(from: start / 60 + 1), let minute = minutes.first(from: 0) else { return nil }
        return hour * 60 + minute
    }

    /// The first day that matches in the rest of a month, counted from 1970.
    private func firstDay(from date: CivilDate) -> Int? {
        guard date.day <= date.daysInMonth else { return nil }
        let first = date.daysSince1970
        return (first...(first + date.daysInMonth - date.day)).first { day in
            matchesDay(date.day + day - first, weekday: CivilDate.weekday(ofDay: day))
        }
    }

    private func matches(_ date: CivilDate, onDay day: Int) -> Bool {
        months.contains(date.month) && matchesDay(date.day, weekday: CivilDate.weekday(ofDay: day))
    }

    private func matchesDay(_ day: Int, weekday: Int) -> Bool {
        needsBoth
            ? daysOfMonth.contains(day) && daysOfWeek.contains(weekday) : daysOfMonth.contains(day) || daysOfWeek.contains(weekday)
    }
}
