extension CronExpression {
    /// The first second after one at which the expression is due on the clocks of a zone; seconds are counted from 1970.
    ///
    /// Where the hour begins with `*`, it is due at every minute whose time of day matches: hours that are skipped are not there, and hours
    /// that come twice are there twice, so that real time is what counts. Any other is due at times of day, and each of them once: the
    /// first time where it comes twice, and right after the gap where it is skipped, together with all else that the gap has swallowed.
    func next(after second: Int64, in zone: ScheduleZone) -> Int64? {
        isElapsing ? nextMinute(after: second, in: zone) : nextTimeOfDay(after: second, in: zone)
    }

    private func nextMinute(after second: Int64, in zone: ScheduleZone) -> Int64? {
        var start = second + 1
        while true {
            let offset = zone.offset(at: start)
            guard let minute = firstMinute(from: (start + offset + 59).flooredQuotient(60)) else { return nil }
            let due = minute * 60 - offset
            guard let change = zone.change(after: start), change <= due else { return due }
            start = change
        }
    }

    /// Goes by a clock that is never set back: it stands still while an hour comes again, and leaps over a gap.
    private func nextTimeOfDay(after second: Int64, in zone: ScheduleZone) -> Int64? {
        var shown = second + zone.offset(at: second)
        var start = second - Self.longestRepeat
        while let change = zone.change(after: start), change <= second {
            shown = max(shown, change - 1 + zone.offset(at: change - 1))
            start = change
        }
        guard let minute = firstMinute(from: shown.flooredQuotient(60) + 1) else { return nil }
        start = max(second + 1, minute * 60 - Self.largestOffset)
        while true {
            let due = max(start, minute * 60 - zone.offset(at: start))
            guard let change = zone.change(after: start), change <= due else { return due }
            start = change
        }
    }

    /// How long a stretch of time can come again, in seconds: a day, where a country crosses the date line.
    private static let longestRepeat: Int64 = 26 * 3600

    /// How far clocks can be ahead of UTC, in seconds; Alaska's were more than 15 hours.
    private static let largestOffset: Int64 = 16 * 3600
}
