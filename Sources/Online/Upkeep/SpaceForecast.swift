package import Catalog
package import Platform

/// When a file system will be full if it goes on as it did.
package enum SpaceForecast: Sendable, Hashable {
    /// In so many days.
    case full(days: Double)
    case notGrowing
    /// There are not yet two measurements a day apart; the first of them, where there is one.
    case unknown(since: Timestamp?)

    /// What was free at one moment.
    package struct Sample: Sendable, Hashable {
        package let taken: Timestamp
        package let space: SpaceFigures

        package init(taken: Timestamp, space: SpaceFigures) {
            self.taken = taken
            self.space = space
        }
    }

    private static let day: Int64 = 86_400_000_000_000

    /// Draws a straight line through what was free in the last 30 days, by least squares.
    ///
    /// Left out are samples from before the file system last changed its size, those that claim to be of the future, and those that a clock
    /// that was set wrong has put out of order: the longest run of samples whose times rise counts.
    ///
    /// - Parameter samples: in the order in which they were taken, the last being the present.
    package init(_ samples: [Sample], now: Timestamp) {
        let inTime = samples.filter { $0.taken <= now && now.nanoseconds - $0.taken.nanoseconds <= 30 * Self.day }
        let chosen = Self.rising(Self.sinceResize(inTime))
        guard let first = chosen.first, let last = chosen.last, last.taken.nanoseconds - first.taken.nanoseconds >= Self.day else {
            self = .unknown(since: chosen.first?.taken)
            return
        }
        let points = chosen.map {
            (days: Double($0.taken.nanoseconds - first.taken.nanoseconds) / Double(Self.day), free: Double($0.space.freeBytes))
        }
        let count = Double(points.count)
        let (meanDays, meanFree) = (points.reduce(0) { $0 + $1.days } / count, points.reduce(0) { $0 + $1.free } / count)
        let variance = points.reduce(0) { $0 + ($1.days - meanDays) * ($1.days - meanDays) }
        let covariance = points.reduce(0) { $0 + ($1.days - meanDays) * ($1.free - meanFree) }
        let bytesPerDay = -covariance / variance
        self = bytesPerDay > 0 ? .full(days: Double(last.space.freeBytes) / bytesPerDay) : .notGrowing
    }

    /// Those since the size last changed by more than a hundredth; some file systems let theirs drift.
    private static func sinceResize(_ samples: [Sample]) -> ArraySlice<Sample> {
        guard let total = samples.last?.space.totalBytes else { return [] }
        let start = samples.lastIndex { abs($0.space.totalBytes - total) > total / 100 }
        return samples[(start.map { $0 + 1 } ?? 0)...]
    }

    /// The longest run of samples, not all neighbours, whose times rise; of two as long, the one without the sample that goes back.
    private static func rising(_ samples: ArraySlice<Sample>) -> [Sample] {
        let samples = Array(samples)
        /// Of each length, the run to the end that begins latest: by its first sample.
        var starts: [Int] = []
        var after = [Int?](repeating: nil, count: samples.count)
        for index in samples.indices.reversed() {
            var (low, high) = (0, starts.count)
            while low < high {
                let middle = (low + high) / 2
                if samples[index].taken < samples[starts[middle]].taken { low = middle + 1 } else { high = middle }
            }
            after[index] = low > 0 ? starts[low - 1] : nil
            if low == starts.count { starts.append(index) } else { starts[low] = index }
        }
        var run: [Sample] = []
        var next = starts.last
        while let index = next {
            run.append(samples[index])
            next = after[index]
        }
        return run
    }
}

extension SpaceForecast: CustomStringConvertible {
    package var description: String {
        switch self {
        case .full(let days) where days < 1: "full in less than a day at this growth"
        case .full(let days) where days > 3650: "full in more than ten years at this growth"
        case .full(let days): "full in about \(Int(days)) day\(Int(days) == 1 ? "" : "s") at this growth"
        case .notGrowing: "not growing"
        case .unknown(let since?): "not known yet: measured since \(since)"
        case .unknown(nil): "not known yet: never measured before"
        }
    }

    /// Days until it is full; `nil` where it does not fill up, as far as anybody can tell.
    package var days: Double? {
        if case .full(let days) = self { days } else { nil }
    }
}
