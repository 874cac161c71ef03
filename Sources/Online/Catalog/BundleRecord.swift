package import BundleFormat
package import Integrity
package import Platform
package import Snapshots

/// A bundle that this origin made.
package struct BundleRecord: Sendable, Hashable {
    /// The order in which bundles were made, from 1; 0 for one that is not kept yet.
    package let number: Int64
    package let id: Identifier
    package let label: String
    package let created: Timestamp
    package let destination: BundleDestination
    /// The place of its target among this origin's states (FORMAT.md §6.1).
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
        number: Int64 = 0, id: Identifier, label: String, created: Timestamp, destination: BundleDestination, sequence: Int64,
        baseline: SnapshotID?,
        target: SnapshotID, targetRoot: SHA512Digest, counts: BundleCounts, size: Int64, keys: [String],
        pruned: Timestamp? = nil
    ) {
        self.number = number
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
