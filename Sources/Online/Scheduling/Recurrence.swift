package import Platform

/// When something comes again: a cron expression on the clocks of a zone, or each time an interval has passed.
package enum Recurrence: Sendable, Hashable, CustomStringConvertible {
    /// At times of day, such as `0 3 * * MON Europe/Berlin`.
    case cron(CronExpression, ScheduleZone)
    /// Each time so much time has passed, such as `every 12 hours`; whole seconds, at least a minute.
    case interval(Duration)

    /// Reads a text: `every` with a length of time, or a cron expression that a zone may follow.
    ///
    /// - Parameter zone: where the text names none.
    /// - Throws: `ScheduleError`, which says what is wrong with which part, and what is allowed.
    package init(_ text: String, zone: ScheduleZone = .utc) throws(ScheduleError) {
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        if words.first?.lowercased() == "every" {
            self = .interval(try IntervalText.read(words.dropFirst().joined(separator: " "), of: text))
            return
        }
        let count = words.first?.hasPrefix("@") == true ? 1 : CronField.allCases.count
        guard words.count == count + 1 else {
            self = .cron(try CronExpression(text), zone)
            return
        }
        let last = words[count]
        // What could stand in a field was meant to be one.
        guard (try? CronField.dayOfWeek.read(last)) == nil else {
            let reason = "it has \(words.count) fields; there are five (no seconds), and a time zone may follow, such as Europe/Berlin"
            throw ScheduleError(text, reason: reason)
        }
        let expression = try CronExpression(words[..<count].joined(separator: " "))
        do throws(ScheduleError) {
            self = .cron(expression, try ScheduleZone(last))
        } catch {
            throw ScheduleError(text, reason: "\(error)")
        }
    }

    /// The text that reads as this.
    package var description: String {
        switch self {
        case .cron(let expression, let zone): "\(expression) \(zone)"
        case .interval(let interval): "every \(IntervalText.write(interval))"
        }
    }

    /// The first due moment strictly after one; `nil` where there is none before the end of time stamps, in 2262.
    ///
    /// - Parameter anchor: what intervals count from, such as the moment that the last run was due, or was begun. It is not due itself; where
    ///   it lies in the future, because a clock was set back, moments before it are.
    package func next(after moment: Timestamp, anchor: Timestamp) -> Timestamp? {
        switch self {
        case .cron(let expression, let zone):
            guard let second = expression.next(after: moment.nanoseconds.flooredQuotient(1_000_000_000), in: zone) else { return nil }
            let (nanoseconds, isTooLate) = second.multipliedReportingOverflow(by: 1_000_000_000)
            return isTooLate ? nil : Timestamp(nanoseconds: nanoseconds)
        case .interval(let interval):
            let step = Int128(interval.components.seconds) * 1_000_000_000
            let (start, now) = (Int128(anchor.nanoseconds), Int128(moment.nanoseconds))
            let next = start + ((now - start).flooredQuotient(step) + 1) * step
            return Int64(exactly: next == start ? start + step : next).map { Timestamp(nanoseconds: $0) }
        }
    }
}

/// Lengths of time as the settings have them: `12 hours`, `90 minutes`, `1.5 days`.
private enum IntervalText {
    /// Largest first; the first name is written for more than one.
    static let units: [(names: [String], seconds: Int64)] = [
        (["weeks", "week"], 604_800), (["days", "day"], 86_400), (["hours", "hour"], 3600), (["minutes", "minute"], 60),
        (["seconds", "second"], 1),
    ]

    static let range: ClosedRange<Double> = 60...3_153_600_000

    /// A text without its "every"; a unit without a number stands for one of it.
    static func read(_ text: String, of whole: String) throws(ScheduleError) -> Duration {
        let digits = text.prefix { "0123456789.".contains($0) }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        let known = units.map { $0.names[0] }.reversed().joined(separator: ", ")
        guard let number = digits.isEmpty ? 1 : digits.first == "." ? nil : Double(digits), !text.isEmpty else {
            throw ScheduleError(whole, reason: "a length of time follows \"every\", such as 12 hours")
        }
        guard let seconds = units.first(where: { $0.names.contains(unit.lowercased()) })?.seconds else {
            throw ScheduleError(whole, reason: "\(unit.isEmpty ? "it has no unit" : "\"\(unit)\" is no unit"); there are \(known)")
        }
        let amount = (number * Double(seconds)).rounded()
        guard range.contains(amount) else { throw ScheduleError(whole, reason: "1 minute to 36500 days are allowed") }
        return .seconds(Int64(amount))
    }

    /// In the largest unit that leaves no rest.
    static func write(_ interval: Duration) -> String {
        let seconds = interval.components.seconds
        let unit = units.first { seconds >= $0.seconds && seconds % $0.seconds == 0 } ?? units[units.count - 1]
        let number = seconds / unit.seconds
        return number == 1 ? unit.names[1] : "\(number) \(unit.names[0])"
    }
}
