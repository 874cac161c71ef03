/// The ways in which a cached tarball, or what belongs to it, can be damaged.
///
/// The raw values are the words used in JSON and in tables and never change their meaning. Where several hold, the first of this list is
/// told.
package enum DamageKind: String, Sendable, Hashable, CaseIterable {
    /// A file of zero bytes.
    case empty
    /// Something else than gzip: a portal's page, a registry's error, a tar that was decompressed on the way.
    case notGzip = "not-gzip"
    /// The file ends before the compressed data does.
    case truncated
    /// No compressor wrote such data.
    case corruptData = "corrupt-data"
    /// The data is readable, and not what the archive's own checksums say.
    case checksum
    /// The content is no tar, or one that loses entries, or holds no package.
    case badTar = "bad-tar"
    /// The archive is whole, and something follows it.
    case trailingBytes = "trailing-bytes"
    /// A whole archive that is not the one that was published.
    case digestMismatch = "digest-mismatch"
    /// The packument knows no version with this tarball.
    case noPackumentEntry = "no-packument-entry"
    /// The packument itself cannot be read, so that nobody knows what was published.
    case packumentUnreadable = "packument-unreadable"
    /// A tarball where no package is.
    case orphan
}

/// What something is damaged by: the kind, and what was seen, in words.
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
