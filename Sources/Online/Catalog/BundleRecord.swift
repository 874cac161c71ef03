package import BundleFormat
package import Integrity
package import Platform
package import Snapshots

/// A bundle that this origin made.
package struct BundleRecord: Sendable, Hashable {
    package let id: Identifier
    package let label: String
    package let created: Timestamp
    package let destination: BundleDestination
    package let sequence: Int64
    /// `nil` for a full bundle.
    package let baseline: SnapshotID?
    package let target: SnapshotID
    package let targetRoot: SHA512Digest
    package let counts: BundleCounts
    /// Bytes of the archive.
    package let size: Int64
    /// The ids of the keys that signed it.
    package let keys: [String]
    /// When its archive was removed to make room; `nil` where it was not.
    package let pruned: Timestamp?

    package init(
        id: Identifier, label: String, created: Timestamp, destination: BundleDestination, sequence: Int64, baseline: SnapshotID?,
        target: SnapshotID, targetRoot: SHA512Digest, counts: BundleCounts, size: Int64, keys: [String],
        pruned: Timestamp? = nil
    ) {
        self.id = id
        self.label = label
        self.created = created
        self.destination = destination
        self.sequence = sequence
        self.baseline = baseline
        self.target = target
        self.targetRoot = targetRoot
        self.counts = counts
        self.size = size
        self.keys = keys
        self.pruned = pruned
    }
}
