import BundleFormat
package import Catalog
package import Platform
package import Settings
package import Snapshots
import Terminal

/// What may go, and what must stay.
package enum Retention {
    /// Something that limits apply to.
    package struct Candidate: Sendable, Hashable {
        package let created: Timestamp
        package let bytes: Int64

        package init(created: Timestamp, bytes: Int64) {
            self.created = created
            self.bytes = bytes
        }
    }

    /// Why something may go.
    package enum Reason: Sendable, Hashable, CustomStringConvertible {
        /// There are so many newer ones.
        case count(Int)
        /// It is older than that, in seconds.
        case age(Int64)
        /// With the newer ones it is more than so many bytes.
        case size(Int64)

        package var description: String {
            switch self {
            case .count(let count): "beyond the newest \(count)"
            case .age(let age): "older than \(age % 86_400 == 0 ? "\(age / 86_400) days" : "\(age) seconds")"
            case .size(let bytes): "beyond \(Terminal.bytes(bytes)) of newer ones"
            }
        }
    }

    /// What passes a limit, by its place.
    ///
    /// Order is by counter and not by clock: nothing counts as older than the youngest of all that came before it, so a clock that went back
    /// makes nothing go that is younger by counter than what stays for its age.
    ///
    /// - Parameter candidates: oldest first, by counter.
    package static func passing(
        _ limits: OnlineSettings.RetentionLimits, _ candidates: [Candidate], now: Timestamp
    ) -> [Int: Reason] {
        var reasons: [Int: Reason] = [:]
        if let age = limits.age {
            var youngest = Int64.min
            for (index, candidate) in candidates.enumerated() {
                youngest = max(youngest, candidate.created.nanoseconds)
                if now.seconds - Timestamp(nanoseconds: youngest).seconds > age { reasons[index] = .age(age) }
            }
        }
        if let size = limits.size {
            var bytes: Int64 = 0
            for (index, candidate) in candidates.enumerated().reversed() {
                bytes += candidate.bytes
                if bytes > size { reasons[index] = .size(size) }
            }
        }
        if let count = limits.count {
            for index in candidates.indices.dropLast(count) { reasons[index] = .count(count) }
        }
        return reasons
    }

    /// How many of a destination's last bundles are taken for ones it may have, or may be about to get.
    private static let bundlesInDoubt = 3

    /// The snapshots that must stay whatever the limits say, each with why.
    ///
    /// They are those that something may still be built upon:
    /// - the newest, from which the next diff and the order of snapshots go on;
    /// - for every destination, `any` among them, target and baseline of its last three bundles. Nothing has come back from it yet, so any of
    ///   them may be the state it is in: the last may be on its way (pending), the one before may be what it has (acknowledged, once a receipt
    ///   says so), and where nothing ever comes back the third-last is taken for what it has (assumed, DESIGN §3.6);
    /// - the target of every bundle whose archive is kept: its next diff starts there once it is imported.
    ///
    /// A receipt narrows the second rule for its destination: what it acknowledges, and what came after, is then all that can be built upon.
    /// What an assumed baseline is (DESIGN §3.6) stays, too.
    ///
    /// - Parameters:
    ///   - snapshots: oldest first, by counter.
    ///   - bundles: every bundle that was recorded, in any order.
    ///   - acknowledged: for each destination that has sent one, what its last receipt acknowledges.
    ///   - assumed: the targets of the bundles that destinations are taken to have.
    ///   - removing: bundles whose archives are about to go.
    package static func needed(
        snapshots: [SnapshotHeader], bundles: [BundleRecord], acknowledged: [ReceiptRecord] = [], assumed: [SnapshotID] = [],
        removing: Set<Identifier> = []
    ) -> [SnapshotID: String] {
        var needed: [SnapshotID: String] = [:]
        for bundle in bundles where bundle.pruned == nil && !removing.contains(bundle.id) {
            needed[bundle.target] = "the archive of bundle #\(bundle.sequence) leads to it"
        }
        for (destination, bundles) in Dictionary(grouping: bundles, by: \.destination) {
            let sequence = acknowledged.first { .only($0.destination) == destination }?.sequence ?? 0
            let inDoubt = bundles.filter { $0.sequence > sequence }
            for bundle in inDoubt.sorted(by: { $0.number > $1.number }).prefix(bundlesInDoubt) {
                let why = "bundle #\(bundle.sequence) for \(destination) builds upon it or leads to it"
                needed[bundle.target] = why
                if let baseline = bundle.baseline { needed[baseline] = why }
            }
        }
        for receipt in acknowledged {
            guard let state = snapshots.last(where: { $0.stateRoot == receipt.targetRoot }) else { continue }
            needed[state.id] = "\(receipt.destination) has acknowledged it"
        }
        for snapshot in assumed { needed[snapshot] = "a destination is assumed to have it" }
        if let newest = snapshots.last { needed[newest.id] = "it is the newest" }
        return needed
    }

    /// The bundles whose archives must stay: the newest of each destination, which may not have travelled yet.
    package static func needed(bundles: [BundleRecord]) -> Set<Identifier> {
        let newest = Dictionary(grouping: bundles, by: \.destination).values.compactMap { $0.max { $0.number < $1.number } }
        return Set(newest.map(\.id))
    }
}
