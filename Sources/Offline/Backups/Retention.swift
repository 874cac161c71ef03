package import Platform

/// Which generations are kept: those that any of the limits keeps; without a limit, all.
package struct Retention: Sendable, Hashable {
    /// So many, the newest, whatever any clock says; `nil` for none by their number.
    package var count: Int?
    /// Those that are so many days old or less; `nil` for none by their age.
    package var days: Int?

    package init(count: Int? = nil, days: Int? = nil) {
        self.count = count
        self.days = days
    }

    /// A generation, as far as this is about it.
    package struct Candidate: Sendable, Hashable {
        package let name: GenerationName
        /// When its import began.
        package let started: Timestamp
        /// When its bundle was made, by the clock of its origin; `nil` where it is of none.
        package let made: Timestamp?
        /// Whether it must stay: its import, or the undoing of it, has not ended.
        package let isNeeded: Bool

        package init(name: GenerationName, started: Timestamp, made: Timestamp?, isNeeded: Bool) {
            self.name = name
            self.started = started
            self.made = made
            self.isNeeded = isNeeded
        }
    }

    /// What may go of these, oldest first.
    ///
    /// Which is newer their numbers say, not a clock that may have been wrong. An age is counted up to when the newest bundle was made: a clock here
    /// that is ahead, even while bundles are imported, makes nothing older. No import began before its bundle was made, nor after one that followed
    /// it, whatever the clock said then.
    package func expired(of candidates: [Candidate], now: Timestamp) -> [GenerationName] {
        guard count != nil || days != nil else { return [] }
        let end = min(now, candidates.compactMap(\.made).max() ?? now)
        var following = end
        var expired: [GenerationName] = []
        for (place, candidate) in candidates.sorted(by: { $0.name > $1.name }).enumerated() {
            following = min(following, max(candidate.started, candidate.made ?? candidate.started))
            let age = end.nanoseconds - following.nanoseconds
            let isYoung = days.map { age <= Int64($0) * 86_400 * 1_000_000_000 } ?? false
            let isAmongNewest = count.map { place < $0 } ?? false
            if !candidate.isNeeded, !isAmongNewest, !isYoung { expired.append(candidate.name) }
        }
        return expired.reversed()
    }
}
