package import Platform

/// A recurrence with what is done about it: under which name, how far from the full hour, and what if nobody was there.
///
/// Of a run the moment that it was due at is kept, without jitter: `Due.nominal`. Everything here follows from that, the time and the
/// schedule itself, so that two readings agree and a restart changes nothing.
package struct Schedule: Sendable, Hashable {
    /// What becomes of a due moment at which nothing ran, because the machine was off or asleep.
    package enum Missed: String, Sendable, Hashable, CaseIterable {
        /// It is made up for; many together count as one.
        case catchUp = "catch-up"
        /// It is passed over.
        case skip
    }

    /// A due moment.
    package struct Due: Sendable, Hashable {
        /// By the recurrence alone.
        package let nominal: Timestamp
        /// When to begin: not before `nominal`, and before the next one's.
        package let start: Timestamp
    }

    /// What is to be done at a moment.
    package struct Verdict: Sendable, Hashable {
        /// Begin one run now, which was due then.
        package let run: Due?
        /// What to keep as the last that was handled, also where nothing is to be run.
        package let handled: Timestamp
        /// What is waited for; `nil` where nothing will ever be due.
        package let next: Due?
    }

    /// What it is called; jitter follows from it.
    package let name: String
    package let recurrence: Recurrence
    /// Runs begin up to so much later, less than it and never as late as the next; whole seconds.
    package let jitter: Duration
    package let missed: Missed

    /// How late a run may be begun without having been missed.
    package static let grace = Duration.seconds(60)

    package init(name: String, recurrence: Recurrence, jitter: Duration = .zero, missed: Missed = .catchUp) {
        precondition(jitter >= .zero, "there is no negative jitter")
        self.name = name
        self.recurrence = recurrence
        self.jitter = jitter
        self.missed = missed
    }

    /// The first due moment strictly after one, by the recurrence alone; both `nominal` and `start` increase strictly from one to the next.
    ///
    /// - Parameter anchor: as of `Recurrence.next(after:anchor:)`.
    package func next(after moment: Timestamp, anchor: Timestamp) -> Due? {
        recurrence.next(after: moment, anchor: anchor).map { Due(nominal: $0, start: start(of: $0)) }
    }

    /// Says whether a run is to be begun now: one, however many due moments have passed.
    ///
    /// A clock that is set forward makes one run due at most. One that is set back repeats nothing that was handled, as long as no more than
    /// the next due moment was; what lies further in the future was handled by a clock that was wrong, and counting begins anew.
    ///
    /// - Parameter last: the nominal moment that was handled last; for intervals the moment that the last run was begun will do, too. Where
    ///   nothing was, the moment that the schedule was made.
    package func verdict(last: Timestamp, now: Timestamp) -> Verdict {
        if last > now {
            guard let upcoming = recurrence.next(after: now, anchor: last), upcoming < last else {
                return Verdict(run: nil, handled: last, next: next(after: last, anchor: last))
            }
            return Verdict(run: nil, handled: now, next: next(after: now, anchor: now))
        }
        guard let due = latest(notAfter: now, since: last) else {
            return Verdict(run: nil, handled: last, next: next(after: last, anchor: last))
        }
        let age = Int128(now.nanoseconds) - Int128(due.start.nanoseconds)
        let isMissed = age > Int128(Self.grace.components.seconds) * 1_000_000_000
        return Verdict(
            run: isMissed && missed == .skip ? nil : due, handled: due.nominal, next: next(after: due.nominal, anchor: due.nominal))
    }

    /// The last due moment after `last` whose start has come.
    private func latest(notAfter now: Timestamp, since last: Timestamp) -> Due? {
        guard let nominal = lastNominal(notAfter: now, since: last) else { return nil }
        let due = Due(nominal: nominal, start: start(of: nominal))
        if due.start <= now { return due }
        // The one before has begun before this one, by its definition.
        let before = lastNominal(notAfter: Timestamp(nanoseconds: nominal.nanoseconds - 1), since: last)
        return before.map { Due(nominal: $0, start: start(of: $0)) }
    }

    /// The last due moment of the recurrence that is not after `now`, found by halving: the first after a moment never lies before the first
    /// after an earlier one.
    private func lastNominal(notAfter now: Timestamp, since last: Timestamp) -> Timestamp? {
        func due(after nanoseconds: Int64) -> Timestamp? {
            recurrence.next(after: Timestamp(nanoseconds: nanoseconds), anchor: last).flatMap { $0 <= now ? $0 : nil }
        }
        guard last < now, var found = due(after: last.nanoseconds) else { return nil }
        var (low, high) = (found.nanoseconds, now.nanoseconds)
        while low < high {
            let middle = (low >> 1) + (high >> 1) + (low & high & 1)
            if let later = due(after: middle) { (found, low) = (later, later.nanoseconds) } else { high = middle }
        }
        return found
    }

    /// The moment to begin a run that is due by the recurrence.
    private func start(of nominal: Timestamp) -> Timestamp {
        var room = jitter.components.seconds
        if let following = recurrence.next(after: nominal, anchor: nominal) {
            room = min(room, (following.nanoseconds - nominal.nanoseconds) / 1_000_000_000)
        }
        guard room > 0 else { return nominal }
        let offset = Int64(Self.hash(name, nominal.seconds).multipliedFullWidth(by: UInt64(room)).high)
        let (start, isTooLate) = nominal.nanoseconds.addingReportingOverflow(offset * 1_000_000_000)
        return isTooLate ? nominal : Timestamp(nanoseconds: start)
    }

    /// Evenly spread numbers, the same on every machine and in every run: FNV-1a, mixed as splitmix64 does.
    private static func hash(_ text: String, _ number: Int64) -> UInt64 {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for shift in stride(from: 0, to: 64, by: 8) {
            value = (value ^ UInt64(truncatingIfNeeded: number >> Int64(shift)) & 0xFF) &* 0x100_0000_01B3
        }
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
