package import BundleFormat
package import Integrity
package import Platform
package import Snapshots
package import SystemPackage

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

/// A catalog that cannot be used.
///
/// It is as it was.
package enum CatalogError: Error, Equatable, CustomStringConvertible {
    /// A newer program has brought it up to a form this one does not know.
    case newer(FilePath)
    case damaged(String)
    /// The file is no database, or one that has lost some of itself; SQLite's words.
    case corrupt(FilePath, String)
    /// Another process has kept it locked.
    case locked(FilePath)
    /// It cannot be opened, read or written; SQLite's words.
    case inaccessible(FilePath, String)
    /// The disk has no room for the change, or too little to begin it.
    case noSpace(FilePath)

    package var description: String {
        switch self {
        case .newer(let path): "\"\(path)\" was written by a newer ferry-online; use that one"
        case .damaged(let what): "the catalog is damaged: \(what)"
        case .corrupt(let path, let words): "\"\(path)\" is damaged: \(words)"
        case .locked(let path): "\"\(path)\" stays locked by another process"
        case .inaccessible(let path, let words): "\"\(path)\" cannot be used: \(words)"
        case .noSpace(let path): "no space is left on the disk that holds \"\(path)\"; make room and repeat the command"
        }
    }
}
