package import Integrity
package import PackageStore
package import Platform

/// What is wrong with a file in storage.
///
/// The raw values are the words used in JSON and in the database and never change their meaning.
package enum DamageKind: String, Sendable, Hashable, CaseIterable {
    /// It ends too early.
    case truncated
    /// It has no bytes.
    case empty
    /// It does not begin as a gzip file does.
    case notGzip = "not-gzip"
    /// Its compressed data make no sense.
    case corruptData = "corrupt-data"
    /// Its content is not what its own checksum says.
    case checksum
    /// It unpacks, and what comes out is no tar that npm could read.
    case badTar = "bad-tar"
    /// Something follows the archive.
    case trailingBytes = "trailing-bytes"
    /// A sound archive that is not the one that was published.
    case digestMismatch = "digest-mismatch"
    /// The packument has no version of that file.
    case noPackumentEntry = "no-packument-entry"
    /// The packument cannot be used.
    case packumentUnreadable = "packument-unreadable"
    /// There is no packument.
    case orphan
}

/// What a file is damaged by: the kind, and what was seen, in words.
package struct Damage: Sendable, Hashable, CustomStringConvertible {
    package let kind: DamageKind
    /// A phrase with the offsets and numbers that were seen.
    package let words: String

    package init(_ kind: DamageKind, _ words: String) {
        self.kind = kind
        self.words = words
    }

    package var description: String { "\(words) [\(kind.rawValue)]" }
}

/// A file in storage that is, or was, damaged.
package struct BrokenArchive: Sendable, Hashable {
    /// Where it stands with it.
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// It lies in storage as it is.
        case damaged
        /// A repair has taken it away, and no good copy has come.
        case missing
        /// A repair has brought a good copy.
        case repaired
        /// It is good, or has left the storage, without a repair.
        case cleared

        /// Those that somebody has to see to.
        package static let open: Set<State> = [.damaged, .missing]
    }

    /// One try to bring a good copy.
    package struct Attempt: Sendable, Hashable {
        package let began: Timestamp
        package let ended: Timestamp
        package let isRepaired: Bool
        /// Why not, or how.
        package let reason: String

        package init(began: Timestamp, ended: Timestamp, isRepaired: Bool, reason: String) {
            self.began = began
            self.ended = ended
            self.isRepaired = isRepaired
            self.reason = reason
        }
    }

    package let id: Int64
    package let path: StorePath
    /// `nil` for a packument, and for a tarball that none names.
    package let version: String?
    package let damage: Damage
    /// Of the damaged bytes, where they were measured.
    package let sha512: SHA512Digest?
    /// Bytes.
    package let size: Int64
    package let found: Timestamp
    /// When it was last seen to be so.
    package let checked: Timestamp
    package let state: State
    /// Where the damaged copy is kept.
    package let quarantined: String?
    /// Whether upstream no longer has it.
    package let isGoneUpstream: Bool
    /// Oldest first.
    package let attempts: [Attempt]
}

/// Which damaged files are listed, and in what order.
package struct BrokenArchiveQuery: Sendable {
    /// What they are sorted by; ties by path.
    package enum Order: String, Sendable, CaseIterable {
        case path, found, size

        var columns: [String] {
            switch self {
            case .path: ["sort_key", "file"]
            case .found, .size: [rawValue, "sort_key", "file"]
            }
        }
    }

    package var states = BrokenArchive.State.open
    package var kind: DamageKind?
    package var order = Order.path
    package var isDescending = false
    package var offset = 0
    /// `nil` for all.
    package var limit: Int? = 50

    package init() {}
}

/// A tarball that is to be checked.
package struct CheckCandidate: Sendable, Hashable {
    package let path: StorePath
    package let identity: FileIdentity
    package let version: String?
    package let declared: DeclaredDigests
    /// What the next candidates are asked for with.
    package let cursor: CheckCursor
}

/// A place in the order in which tarballs are checked.
package struct CheckCursor: Sendable, Hashable {
    let package: Int64
    let file: String

    /// Before the first.
    package static let start = CheckCursor(package: 0, file: "")
}

/// What a check found of a tarball.
package struct CheckResult: Sendable, Hashable {
    package let candidate: CheckCandidate
    package let proof: TarballProof
    package let damage: Damage?
    /// What is odd about it though it is what was published.
    package let note: String?

    package init(candidate: CheckCandidate, proof: TarballProof, damage: Damage?, note: String? = nil) {
        self.candidate = candidate
        self.proof = proof
        self.damage = damage
        self.note = note
    }
}
