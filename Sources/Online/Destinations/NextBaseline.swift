package import Catalog
import PackageStore
import Platform
import Replies
package import Snapshots

/// What the next bundle for a destination starts from (DESIGN §3.6).
package struct NextBaseline {
    /// What is known of a destination that its next bundle goes by.
    package enum Ground: String, Sendable, Hashable, CaseIterable {
        case noReceipt = "no-receipt"
        case acknowledgesNothing = "acknowledges-nothing"
        case acknowledged
        case assumed
        /// It acknowledged a state that is not kept here any more.
        case acknowledgedGone = "acknowledged-gone"
        /// It is assumed to have a state that is not kept here any more.
        case assumedGone = "assumed-gone"
    }

    /// `nil` for nothing: the bundle is a full one.
    package let snapshot: SnapshotReader?
    /// What the destination lacks of it.
    package let lacking: LackingFiles
    package let ground: Ground
    /// Of the state that the destination has, or is assumed to have; `nil` where it has none.
    package let sequence: Int64?
    /// The ground in words.
    package let reason: String

    /// Chooses by the destination's policy.
    ///
    /// A state that is not kept here any more is no baseline; a full bundle is always safe.
    package init(for destination: DestinationRecord, catalog: Catalog, snapshots: SnapshotStore) throws {
        let last = try catalog.lastReceipt(of: destination.id)
        if destination.baseline == .assumeApplied {
            let assumed = try catalog.assumedBundle(for: destination.id)
            if let assumed, assumed.sequence > last?.record.sequence ?? 0 {
                let reader = try snapshots.open(assumed.target)
                self.init(reader, reader == nil ? .assumedGone : .assumed, assumed.sequence, of: destination)
                return
            }
        }
        guard let (record, document) = last, let root = record.targetRoot else {
            self.init(nil, last == nil ? .noReceipt : .acknowledgesNothing, nil, of: destination)
            return
        }
        guard let reader = try snapshots.snapshot(of: root) else {
            self.init(nil, .acknowledgedGone, record.sequence, of: destination)
            return
        }
        let missing = try Receipt(parsing: document).missing
        self.init(reader, .acknowledged, record.sequence, lacking: LackingFiles(missing.map { ($0.path, $0.digest) }), of: destination)
    }

    private init(
        _ snapshot: SnapshotReader?, _ ground: Ground, _ sequence: Int64?, lacking: LackingFiles = LackingFiles(),
        of destination: DestinationRecord
    ) {
        self.snapshot = snapshot
        self.lacking = lacking
        self.ground = ground
        self.sequence = sequence
        let (name, state) = (destination.name, "#\(sequence ?? 0)")
        reason =
            switch ground {
            case .noReceipt: "nothing has come back from \(name) yet"
            case .acknowledgesNothing: "\(name) acknowledges nothing"
            case .acknowledged:
                switch lacking.count {
                case 0: "\(name) has state \(state)"
                case 1: "\(name) has state \(state) without one file, which is carried again"
                case let count: "\(name) has state \(state) without \(count) files, which are carried again"
                }
            case .assumed: "\(name) is assumed to have state \(state), of its third-last bundle on a medium"
            case .acknowledgedGone: "the state that \(name) has, \(state), is not kept any more"
            case .assumedGone: "the state that \(name) is assumed to have, \(state), is not kept any more"
            }
    }
}
