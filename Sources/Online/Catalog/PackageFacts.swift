package import Integrity
package import PackageStore
package import Platform

/// Where a package's versions come from.
package enum PackageSource: String, Sendable, Hashable, CaseIterable {
    /// All from an uplink.
    case proxied
    /// All published to this registry.
    case local
    /// Some of each.
    case mixed
    /// The packument does not say: it is missing or damaged.
    case unknown
}

/// What a version needs of another package.
package struct PackageNeed: Sendable, Hashable {
    /// How much it needs it.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case regular, optional, peer
    }

    /// The package that is needed, under its own name where the manifest has an alias for it.
    package let name: String
    package let kind: Kind
    /// As the manifest has it.
    package let range: String

    package init(name: String, kind: Kind, range: String) {
        self.name = name
        self.kind = kind
        self.range = range
    }
}

/// What a scan saw of one package in storage.
package struct PackageFacts: Sendable, Hashable {
    /// Whether there is a packument that can be used.
    package enum Packument: Sendable, Hashable {
        case usable
        case missing
        /// It cannot be read as one; words.
        case unusable(String)
    }

    /// A version that the packument knows of.
    package struct Version: Sendable, Hashable {
        package let version: String
        /// As the packument has it; `nil` where it does not say.
        package var published: Timestamp?
        /// The message of its deprecation.
        package var deprecated: String?
        /// Whether it was published to this registry.
        package var isLocal = false
        /// Whether upstream no longer has it.
        package var isWithdrawn = false

        package init(
            version: String, published: Timestamp? = nil, deprecated: String? = nil, isLocal: Bool = false, isWithdrawn: Bool = false
        ) {
            self.version = version
            self.published = published
            self.deprecated = deprecated
            self.isLocal = isLocal
            self.isWithdrawn = isWithdrawn
        }
    }

    /// A tarball that lies in storage.
    package struct Tarball: Sendable, Hashable {
        package let file: FileName
        package let identity: FileIdentity
        /// The version that names it; `nil` where none does.
        package var version: String?
        /// What that version declares of it.
        package var declared = DeclaredDigests()

        package init(file: FileName, identity: FileIdentity, version: String? = nil, declared: DeclaredDigests = DeclaredDigests()) {
            self.file = file
            self.identity = identity
            self.version = version
            self.declared = declared
        }
    }

    /// What a usable packument says.
    package struct Metadata: Sendable, Hashable {
        package var source = PackageSource.unknown
        /// The description of `latest`; at most 300 characters.
        package var summary: String?
        package var tags: [String: String] = [:]
        package var versions: [Version] = []
        /// What `latest` needs: each name once, sorted.
        package var needs: [PackageNeed] = []

        package init() {}
    }

    package let package: PackageName
    /// Of the names and identities of its files and of what upstream says otherwise: while it is the same, nothing was touched.
    package var listing: SHA512Digest
    /// When the scan began, in nanoseconds: files that are not older may have changed unseen.
    package var scannedAt: Int64
    package var packument: Packument
    /// Bytes; 0 where there is none.
    package var packumentSize: Int64
    /// `nil` where the packument cannot be used: what was known before stays.
    package var metadata: Metadata?
    /// Sorted by file.
    package var tarballs: [Tarball]

    package init(
        package: PackageName, listing: SHA512Digest, scannedAt: Int64, packument: Packument, packumentSize: Int64, metadata: Metadata?,
        tarballs: [Tarball]
    ) {
        self.package = package
        self.listing = listing
        self.scannedAt = scannedAt
        self.packument = packument
        self.packumentSize = packumentSize
        self.metadata = metadata
        self.tarballs = tarballs
    }
}

/// What the storage held in all, after a scan.
package struct StorageTotals: Sendable, Hashable {
    /// When the scan began.
    package var taken: Timestamp
    package var packages = 0
    /// Packages that were published to this registry, wholly or in part.
    package var localPackages = 0
    /// Versions that packuments know of.
    package var versions = 0
    /// Versions whose tarball lies in storage.
    package var cachedVersions = 0
    package var tarballs = 0
    package var tarballBytes: Int64 = 0
    package var packumentBytes: Int64 = 0
    /// Files known to be damaged.
    package var damaged = 0

    package init(taken: Timestamp) {
        self.taken = taken
    }
}
