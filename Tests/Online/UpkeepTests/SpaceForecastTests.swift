import Catalog
import Platform
import Settings
import Testing
import Upkeep

@Suite struct SpaceForecastTests {
    private static let gibibyte: Int64 = 1 << 30
    private let now = Timestamp(nanoseconds: 1_795_000_000_000_000_000)

    /// Samples of a disk of 100 GiB: so many days before now, so many GiB free.
    private func samples(_ points: [(daysAgo: Double, free: Double)], total: Int64 = 100) -> [SpaceForecast.Sample] {
        points.map { point in
            SpaceForecast.Sample(
                taken: Timestamp(nanoseconds: now.nanoseconds - Int64(point.daysAgo * 86_400_000_000_000)),
                space: SpaceFigures(
                    freeBytes: Int64(point.free * Double(Self.gibibyte)), totalBytes: total * Self.gibibyte))
        }
    }

    private func forecast(_ points: [(daysAgo: Double, free: Double)]) -> SpaceForecast {
        SpaceForecast(samples(points), now: now)
    }

    @Test func `a disk that loses a gibibyte a day is full in as many days as it has gibibytes`() {
        #expect(forecast([(10, 33), (5, 28), (0, 23)]).description == "full in about 23 days at this growth")
        #expect(forecast((0...29).reversed().map { (Double($0), 40 + Double($0)) }).description == "full in about 40 days at this growth")
        // The line goes through all of them, not through the first and the last.
        guard case .full(let days) = forecast([(3, 30), (2, 20), (1, 20), (0, 10)]) else { return #expect(Bool(false)) }
        #expect(abs(days - 10 / 6.0) < 0.001)
    }

    @Test func `one that gains room, or stays as it is, is not growing`() {
        #expect(forecast([(10, 20), (0, 30)]) == .notGrowing)
        #expect(forecast([(10, 20), (5, 20), (0, 20)]) == .notGrowing)
    }

    @Test func `without two measurements a day apart nothing is known`() throws {
        #expect(forecast([]).description == "not known yet: never measured before")
        let first = try #require(samples([(0.9, 20)]).first)
        #expect(forecast([(0.9, 20), (0.5, 15), (0, 10)]) == .unknown(since: first.taken))
        #expect(forecast([(0.9, 20), (0, 10)]).description == "not known yet: measured since \(first.taken)")
        #expect(forecast([(1, 20), (0, 10)]).description == "full in about 1 day at this growth")
    }

    @Test func `what is older than 30 days does not count`() {
        #expect(forecast([(31, 90), (30.5, 90), (2, 20), (0, 20)]) == .notGrowing)
        #expect(forecast([(31, 90), (0, 20)]) == .unknown(since: now))
    }

    @Test func `a clock that was set wrong for a while changes nothing`() {
        let right: [(daysAgo: Double, free: Double)] = [(10, 33), (8, 31), (6, 29), (4, 27), (2, 25), (0, 23)]
        let expected = forecast(right)
        // One sample between any two that claims another time: of the future, of long ago, of days before or after. Where it claims to be
        // of just behind the next one, either of the two can be wrong.
        for place in 1..<right.count {
            let unclear = place + 1 < right.count ? right[place + 1].daysAgo : 0
            for claimed in [-400.0, -1, 1, 3, 5, 7, 9, 12, 300] where !(unclear...right[place - 1].daysAgo).contains(claimed) {
                var points = right
                points.insert((daysAgo: claimed, free: 90), at: place)
                #expect(forecast(points) == expected, "\(claimed) at \(place)")
            }
        }
    }

    @Test func `two of the same moment are not taken for growth`() {
        #expect(forecast([(1, 20), (1, 30), (0, 20)]) == forecast([(1, 20), (0, 20)]))
        #expect(forecast([(0, 30), (0, 20)]) == .unknown(since: now))
    }

    @Test func `what was free before the disk was enlarged does not count`() {
        let before = samples([(20, 1), (15, 0.5)], total: 50)
        #expect(SpaceForecast(before + samples([(10, 33), (0, 23)]), now: now).description == "full in about 23 days at this growth")
        // A total that drifts is the same disk.
        let drifting = samples([(10, 33)], total: 1000) + samples([(0, 23)], total: 1009)
        #expect(SpaceForecast(drifting, now: now).description == "full in about 23 days at this growth")
    }

    @Test func `the words fit soon and late`() {
        #expect(SpaceForecast.full(days: 0).description == "full in less than a day at this growth")
        #expect(SpaceForecast.full(days: 1.9).description == "full in about 1 day at this growth")
        #expect(SpaceForecast.full(days: 3650).description == "full in about 3650 days at this growth")
        #expect(SpaceForecast.full(days: 1e12).description == "full in more than ten years at this growth")
    }
}

@Suite struct SpaceVerdictTests {
    private let warning = OnlineSettings.SpaceLevel(freePercent: 10, freeBytes: 10 << 30, daysLeft: 30)
    private let critical = OnlineSettings.SpaceLevel(freePercent: 3, freeBytes: 2 << 30, daysLeft: 7)

    private func verdict(_ space: FileSystemSpace, _ forecast: SpaceForecast = .notGrowing) -> SpaceVerdict {
        SpaceVerdict(space, forecast, warning: warning, critical: critical)
    }

    private func disk(free: Int64, of total: Int64) -> FileSystemSpace {
        FileSystemSpace(freeBytes: free << 30, totalBytes: total << 30)
    }

    @Test func `a level is passed by percent, by bytes, by days and by inodes, each alone`() {
        #expect(verdict(disk(free: 100, of: 1000)).level == .ok && verdict(disk(free: 10, of: 20)).reasons == [])
        #expect(verdict(disk(free: 99, of: 1000)).reasons == ["9.9 % is free, less than 10 %"])
        #expect(verdict(disk(free: 9, of: 20)).reasons == ["9.0 GiB are free, less than 10.0 GiB"])
        #expect(
            verdict(disk(free: 500, of: 1000), .full(days: 29.9)).reasons == ["full in about 29 days at this growth, less than 30 days"])
        let inodes = FileSystemSpace(freeBytes: 500 << 30, totalBytes: 1000 << 30, freeFiles: 99, totalFiles: 1000)
        #expect(verdict(inodes).reasons == ["9.9 % of its inodes are free, less than 10 %"])
        for space in [disk(free: 99, of: 1000), disk(free: 9, of: 20), inodes] { #expect(verdict(space).level == .warning) }
        #expect(verdict(disk(free: 500, of: 1000), .full(days: 30)).level == .ok)
        #expect(verdict(disk(free: 500, of: 1000), .unknown(since: nil)).level == .ok)
    }

    @Test func `the worse level counts, with all that passes it`() {
        #expect(verdict(disk(free: 29, of: 1000)).level == .critical && verdict(disk(free: 1, of: 5)).level == .critical)
        #expect(verdict(disk(free: 500, of: 1000), .full(days: 6.9)).level == .critical)
        #expect(verdict(disk(free: 0, of: 1000), .full(days: 0)).reasons.count == 3)
        #expect(SpaceVerdict.Level.critical > .warning && SpaceVerdict.Level.warning > .ok)
    }

    @Test func `what is off warns of nothing`() {
        let off = OnlineSettings.SpaceLevel()
        #expect(SpaceVerdict(disk(free: 0, of: 1), .full(days: 0), warning: off, critical: off).level == .ok)
    }
}
