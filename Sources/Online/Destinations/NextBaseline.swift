package import Catalog
import PackageStore
import Platform
import Replies
package import Snapshots

/// What the next bundle for a destination starts from (DESIGN §3.6).
package struct NextBaseline {
    /// `nil` for nothing: the bundle is a full one.
    package let snapshot: SnapshotReader?
    /// What the destination lacks of it.
    package let lacking: LackingFiles
    /// Why, in words.
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
                self.init(
                    snapshot: reader, lacking: LackingFiles(),
                    reason: reader == nil
                        ? "the state that \(destination.name) is assumed to have, #\(assumed.sequence), is not kept any more"
                        : "\(destination.name) is assumed to have state #\(assumed.sequence), of its third-last bundle on a medium")
                return
            }
        }
        guard let (record, document) = last, let root = record.targetRoot else {
            self.init(
                snapshot: nil, lacking: LackingFiles(),
                reason: last == nil ? "nothing has come back from \(destination.name) yet" : "\(destination.name) acknowledges nothing")
            return
        }
        guard let reader = try snapshots.snapshot(of: root) else {
            self.init(
                snapshot: nil, lacking: LackingFiles(),
                reason: "the state that \(destination.name) has, #\(record.sequence ?? 0), is not kept any more")
            return
        }
        let missing = try Receipt(parsing: document).missing
        self.init(
            snapshot: reader, lacking: LackingFiles(missing.map { ($0.path, $0.digest) }),
            reason: "\(destination.name) has state #\(record.sequence ?? 0)"
                + (missing.isEmpty ? "" : " without \(missing.count) files, which are carried again"))
    }

    private init(snapshot: SnapshotReader?, lacking: LackingFiles, reason: String) {
        self.snapshot = snapshot
        self.lacking = lacking
        self.reason = reason
    }
}
