import Archives
package import CanonicalJSON
package import Integrity
package import PackageStore
package import Platform
package import Snapshots

/// One import, or one rollback, as the ledger keeps it.
package struct ImportRecord: Sendable, Equatable {
    /// What was done with the bundle.
    package enum Kind: String, Sendable {
        case `import`
        /// An import of it was undone.
        case rollback
        /// Versions that an import of it had quarantined were let back.
        case release
        /// A storage that something else had filled was taken over.
        case adoption
    }

    /// How far it came.
    package enum State: String, Sendable {
        /// Packages may have been changed; running the same command again completes it.
        case applying
        case applied
        /// Of an import: it is being undone; running the rollback again completes that.
        case rollingBack = "rolling-back"
        /// Of an import: it was undone.
        case rolledBack = "rolled-back"
    }

    /// Counts up from 1.
    package let id: Int64
    package let kind: Kind
    /// Of a rollback: the import it undoes.
    package let undoes: Int64?
    package let bundle: Identifier
    package let label: String
    package let origin: Identifier
    package let sequence: Int64
    package let targetRoot: SHA512Digest
    package let started: Timestamp
    package let finished: Timestamp?
    package let state: State
    /// The ids of the trusted keys that signed; empty for an unsigned bundle.
    package let keys: [String]
    /// Who ran it, where it came from.
    package let operatorName: String
    package let source: String
    /// How many files had each outcome.
    package let outcomes: [String: Int]
    /// What else was recorded when it ended: `host`, `program`, `storage`, `medium`, `counts`, `milliseconds`, `service`.
    package let details: JSONObject
    /// The digest that the next row of the chain holds; `nil` before it ended.
    package let digest: String?
    /// The digest of the row before it; empty for the first.
    package let previous: String
}

/// An import that has begun.
package struct BegunImport: Sendable {
    package let id: Int64
    /// When it was begun first.
    package let started: Timestamp
    /// Whether an earlier try did not end.
    package let isRepeated: Bool
}

/// What became of one file that this destination was given.
package struct DeliveryRecord: Sendable, Hashable {
    package let path: StorePath
    package let digest: SHA512Digest
    /// The version it is the tarball of, as far as that is known.
    package let version: PackageVersion?
    /// Bytes; `nil` where the bundle that offered it did not carry it.
    package let size: Int64?
    package let outcome: VersionOutcome

    package init(path: StorePath, digest: SHA512Digest, version: PackageVersion? = nil, size: Int64?, outcome: VersionOutcome) {
        self.path = path
        self.digest = digest
        self.version = version
        self.size = size
        self.outcome = outcome
    }
}

/// The packument as an import left it: what a later one compares the storage with.
package struct AppliedForm: Sendable, Hashable {
    /// Of the transfer form that was given.
    package let digest: SHA512Digest
    /// Of the merged packument.
    package let revision: PackumentRevision
    /// Of the file, as it was when the import had written it.
    package let identity: FileIdentity

    package init(digest: SHA512Digest, revision: PackumentRevision, identity: FileIdentity) {
        self.digest = digest
        self.revision = revision
        self.identity = identity
    }
}

/// What the ledger knows of one package: all that was given of it, whatever the origin, and the form one origin gave last.
package struct AppliedView: Sendable {
    package let deliveries: [DeliveryRecord]
    /// `nil` where the origin gave none that was applied.
    package let form: AppliedForm?
    /// Whether the origin brought the package when it was not here, and that import was undone: what was published since was published into
    /// the origin's package.
    package let wasBrought: Bool

    /// Of a package that was never given.
    package static let empty = AppliedView(deliveries: [], form: nil, wasBrought: false)
}

/// What became of one package of an import: its files, and the form that is the base of the next merge.
package struct PackageDelivery: Sendable {
    package let package: PackageName
    package let files: [DeliveryRecord]
    /// The transfer form as it was given; `nil` where it was refused.
    package let form: KeptForm?

    package init(package: PackageName, files: [DeliveryRecord], form: KeptForm? = nil) {
        self.package = package
        self.files = files
        self.form = form
    }
}

/// A transfer form as the ledger keeps it, compressed, and what became of it.
package struct KeptForm: Sendable {
    let compressed: [UInt8]
    package let applied: AppliedForm

    /// Compresses a form; that takes longer than to write it into the ledger.
    package init(_ bytes: [UInt8], _ applied: AppliedForm) throws {
        compressed = try ZstdBuffer.compress(bytes)
        self.applied = applied
    }
}

/// A ledger that cannot be used.
///
/// It is as it was.
package enum LedgerError: Error, Equatable, CustomStringConvertible {
    case damaged(String)

    package var description: String {
        switch self {
        case .damaged(let what): "the ledger is damaged: \(what)"
        }
    }
}
