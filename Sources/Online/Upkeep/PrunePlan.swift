package import Integrity
import Platform
package import Snapshots
package import SystemPackage

/// What a prune removes.
package struct PrunePlan: Sendable, Equatable {
    /// What an item is.
    package enum Kind: Sendable, Hashable {
        case log
        case artifact(Identifier)
        case snapshot(SnapshotID)
        /// What a killed run has left.
        case leftover
    }

    /// A file or directory that goes.
    package struct Item: Sendable, Hashable {
        package let kind: Kind
        package let path: FilePath
        package let bytes: Int64
        /// Why, as a phrase.
        package let reason: String
    }

    /// A transfer form that nothing names any more.
    package struct Form: Sendable, Hashable {
        package let digest: SHA512Digest
        package let bytes: Int64
    }

    /// A snapshot that passes a limit and stays.
    package struct Spared: Sendable, Hashable {
        package let snapshot: SnapshotID
        package let reason: String
    }

    /// In the order in which they go.
    package var items: [Item] = []
    /// They go last.
    package var forms: [Form] = []
    package var spared: [Spared] = []

    package init() {}

    package var isEmpty: Bool { items.isEmpty && forms.isEmpty }
    /// What becomes free.
    package var bytes: Int64 { items.reduce(0) { $0 + $1.bytes } + forms.reduce(0) { $0 + $1.bytes } }
}

/// Why nothing is pruned.
package enum PruneError: Error, CustomStringConvertible {
    /// What a snapshot names cannot be known.
    case unreadable(FilePath, any Error)

    package var description: String {
        switch self {
        case .unreadable(let path, let error):
            "\(error); without \"\(path)\" it is not known what may go, so nothing was removed. Remove its directory if it is not needed"
        }
    }
}
