package import Platform

/// Which generations are kept; what passes any of the limits may go.
package struct Retention: Sendable, Hashable {
    /// How many, the newest first; `nil` for no limit.
    package var count: Int?
    /// How old, in days; `nil` for no limit.
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
        /// Whether it must stay: its import, or the undoing of it, has not ended.
        package let isNeeded: Bool

        package init(name: GenerationName, started: Timestamp, isNeeded: Bool) {
            self.name = name
            self.started = started
            self.isNeeded = isNeeded
        }
    }

    /// What may go of these, oldest first.
    ///
    /// Which is newer their numbers say, not a clock that may have been wrong.
    package func expired(of candidates: [Candidate], now: Timestamp) -> [GenerationName] {
        let sorted = candidates.sorted { $0.name > $1.name }
        let expired = sorted.enumerated().filter { place, candidate in
            let isTooMany = count.map { place >= $0 } ?? false
            let age = now.nanoseconds - candidate.started.nanoseconds
            let isTooOld = days.map { age > Int64($0) * 86_400 * 1_000_000_000 } ?? false
            return !candidate.isNeeded && (isTooMany || isTooOld)
        }
        return expired.map(\.element.name).reversed()
    }
}
