import BundleFormat
import Catalog
import Integrity
import Platform
import Settings
import Snapshots
import Testing
import Upkeep

@Suite struct RetentionTests {
    private static let day: Int64 = 86_400
    private let now = Timestamp(nanoseconds: 1_795_000_000_000_000_000)

    /// Candidates of ten bytes each, so many days old.
    private func aged(_ days: [Int64]) -> [Retention.Candidate] {
        days.map { Retention.Candidate(created: Timestamp(nanoseconds: now.nanoseconds - $0 * Self.day * 1_000_000_000), bytes: 10) }
    }

    private func passing(_ limits: OnlineSettings.RetentionLimits, _ days: [Int64]) -> [Int] {
        Retention.passing(limits, aged(days), now: now).keys.sorted()
    }

    // MARK: Limits

    @Test func `count, age and size each let the oldest go`() {
        let days: [Int64] = [50, 40, 30, 20, 10]
        #expect(passing(OnlineSettings.RetentionLimits(), days) == [])
        #expect(passing(OnlineSettings.RetentionLimits(count: 2), days) == [0, 1, 2])
        #expect(passing(OnlineSettings.RetentionLimits(count: 5), days) == [])
        #expect(passing(OnlineSettings.RetentionLimits(count: 9), days) == [])
        #expect(passing(OnlineSettings.RetentionLimits(age: 30 * Self.day), days) == [0, 1])
        #expect(passing(OnlineSettings.RetentionLimits(age: 30 * Self.day - 1), days) == [0, 1, 2])
        #expect(passing(OnlineSettings.RetentionLimits(size: 30), days) == [0, 1])
        #expect(passing(OnlineSettings.RetentionLimits(size: 29), days) == [0, 1, 2])
        #expect(passing(OnlineSettings.RetentionLimits(size: 9), days) == [0, 1, 2, 3, 4])
        #expect(passing(OnlineSettings.RetentionLimits(count: 4, age: 35 * Self.day, size: 50), days) == [0, 1])
        #expect(passing(OnlineSettings.RetentionLimits(count: 1), []) == [])
    }

    @Test func `what is younger by counter than something that stays for its age stays, whatever a clock said`() {
        let limits = OnlineSettings.RetentionLimits(age: 30 * Self.day)
        // The clock went back by years for the third, or for all that came after it.
        #expect(passing(limits, [50, 20, 2000, 10]) == [0])
        #expect(passing(limits, [50, 20, 2000, 2001, 2002]) == [0])
        // It ran ahead for one of them, or is behind now.
        #expect(passing(limits, [50, -2000, 45, 40]) == [0])
        #expect(passing(limits, [-10, -5, -1]) == [])
        // For any times at all: what goes for its age is what is oldest by counter.
        let times: [Int64] = [0, 29, 31, 60, -50]
        for first in times {
            for second in times {
                for third in times {
                    let gone = passing(limits, [first, second, third])
                    #expect(gone == Array(0..<gone.count), "\([first, second, third])")
                }
            }
        }
    }

    // MARK: What must stay

    private func id(_ number: Int) throws -> SnapshotID { try #require(SnapshotID("202601\(number + 10)T000000Z")) }

    private func snapshots(_ count: Int) throws -> [SnapshotHeader] {
        try (1...count).map { number in
            SnapshotHeader(
                id: try id(number), counter: Int64(number), origin: Identifier(.origin, random: [UInt8](repeating: 0, count: 20)),
                created: now, isSettled: true, stateRoot: .ofNothing, counts: ContentCounts(), findings: 0)
        }
    }

    private func bundle(
        _ sequence: Int, from baseline: Int? = nil, to target: Int, for destination: BundleDestination = .any, isPruned: Bool = true
    ) throws -> BundleRecord {
        BundleRecord(
            number: Int64(sequence), id: Identifier(.bundle, random: [UInt8](repeating: UInt8(sequence), count: 20)), label: "",
            created: now,
            destination: destination, sequence: Int64(sequence), baseline: try baseline.map(id), target: try id(target),
            targetRoot: .ofNothing, counts: BundleCounts(files: 0, bytes: 0, packages: 0, removed: 0), size: 0, keys: [],
            pruned: isPruned ? now : nil)
    }

    private func needed(_ count: Int, _ bundles: [BundleRecord], removing: Set<Identifier> = []) throws -> [Int] {
        let needed = Retention.needed(snapshots: try snapshots(count), bundles: bundles, removing: removing)
        return try (1...max(count, 9)).filter { needed[try id($0)] != nil }
    }

    @Test func `the newest snapshot stays`() throws {
        #expect(try needed(5, []) == [5])
        #expect(try needed(1, []) == [1])
        #expect(Retention.needed(snapshots: [], bundles: []).isEmpty)
    }

    @Test func `target and baseline of a destination's last three bundles stay, of each destination`() throws {
        let other = BundleDestination.only(Identifier(.destination, random: [UInt8](repeating: 7, count: 20)))
        let bundles = [
            try bundle(1, to: 1), try bundle(2, from: 1, to: 2, for: other), try bundle(3, from: 2, to: 3), try bundle(4, from: 2, to: 4),
            try bundle(5, from: 4, to: 6), try bundle(6, from: 6, to: 7),
        ]
        // Of "any" the bundles 4 to 6, of the other one its only one; in whatever order they come.
        #expect(try needed(9, bundles) == [1, 2, 4, 6, 7, 9])
        #expect(try needed(9, bundles.reversed()) == [1, 2, 4, 6, 7, 9])
        #expect(try needed(9, Array(bundles.dropLast(3))) == [1, 2, 3, 9])
    }

    @Test func `the target of every bundle whose archive is kept stays`() throws {
        var bundles = try (1...6).map { try bundle($0, from: 1, to: $0 + 1, isPruned: $0 != 2) }
        #expect(try needed(9, bundles) == [1, 3, 5, 6, 7, 9])
        #expect(try needed(9, bundles, removing: [bundles[1].id]) == [1, 5, 6, 7, 9])
        bundles[0] = try bundle(1, from: 8, to: 2, isPruned: false)
        #expect(try needed(9, bundles, removing: [bundles[1].id]) == [1, 2, 5, 6, 7, 9])
    }

    @Test func `the newest archive of each destination stays`() throws {
        let other = BundleDestination.only(Identifier(.destination, random: [UInt8](repeating: 7, count: 20)))
        let bundles = [try bundle(3, to: 3), try bundle(1, to: 1), try bundle(2, to: 2, for: other), try bundle(4, to: 4)]
        #expect(Retention.needed(bundles: bundles) == [bundles[3].id, bundles[2].id])
    }
}
