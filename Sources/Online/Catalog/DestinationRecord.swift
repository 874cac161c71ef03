package import Integrity
package import Platform
package import Snapshots

/// An isolated registry that this origin has heard of.
package struct DestinationRecord: Sendable, Hashable {
    /// What its next bundle starts from.
    package enum BaselinePolicy: String, Sendable, CaseIterable {
        /// What its last receipt acknowledges.
        case acknowledged
        /// Where nothing comes back: what the third-last bundle led to that was put on a medium for it.
        case assumeApplied = "assume-applied"
    }

    package let id: Identifier
    /// What it calls itself.
    package var name: String
    /// What verifies its receipts and requests.
    package var key: MinisignPublicKey
    package let firstSeen: Timestamp
    /// When a person confirmed its key; `nil` before, and then nothing it says counts.
    package var confirmed: Timestamp?
    package var baseline: BaselinePolicy
    /// Whether what it requests is approved unseen.
    package var approvesRequests: Bool
    /// Days without a receipt after which it is called quiet.
    package var quietDays: Int

    /// - Parameter quietDays: 30 by DESIGN.
    package init(
        id: Identifier, name: String, key: MinisignPublicKey, firstSeen: Timestamp, confirmed: Timestamp? = nil,
        baseline: BaselinePolicy = .acknowledged, approvesRequests: Bool = false, quietDays: Int = 30
    ) {
        self.id = id
        self.name = name
        self.key = key
        self.firstSeen = firstSeen
        self.confirmed = confirmed
        self.baseline = baseline
        self.approvesRequests = approvesRequests
        self.quietDays = quietDays
    }
}

/// A receipt that was taken.
package struct ReceiptRecord: Sendable, Hashable {
    package let destination: Identifier
    package let counter: Int64
    /// By the clock of the destination.
    package let created: Timestamp
    /// By ours.
    package let read: Timestamp
    /// What it acknowledges; all three are `nil` where that is nothing.
    package let bundle: Identifier?
    package let sequence: Int64?
    package let targetRoot: SHA512Digest?
    /// How many files of that are missing there, and how many were refused.
    package let missing: Int
    package let refused: Int
    /// Of its bytes.
    package let digest: SHA512Digest

    package init(
        destination: Identifier, counter: Int64, created: Timestamp, read: Timestamp, bundle: Identifier?, sequence: Int64?,
        targetRoot: SHA512Digest?, missing: Int, refused: Int, digest: SHA512Digest
    ) {
        self.destination = destination
        self.counter = counter
        self.created = created
        self.read = read
        self.bundle = bundle
        self.sequence = sequence
        self.targetRoot = targetRoot
        self.missing = missing
        self.refused = refused
        self.digest = digest
    }
}

/// A request that was taken.
package struct RequestRecord: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Packages are wanted.
        case want
        /// Files are lacking that a bundle builds upon.
        case gap
    }

    /// How far it came.
    package enum State: String, Sendable, CaseIterable {
        /// Nobody has decided yet.
        case new
        /// What is wanted is fetched by the next refresh; or a filler may be made.
        case approved
        case declined
        /// The destination holds what it asked for, as a receipt says.
        case fulfilled
    }

    package let id: Identifier
    package let destination: Identifier
    package let kind: Kind
    /// By the clock of the destination.
    package let created: Timestamp
    /// By ours.
    package let read: Timestamp
    package let state: State
    /// When it came to that state.
    package let changed: Timestamp
    /// Of a gap: the bundle that did not fit.
    package let bundle: Identifier?
    /// How many packages are wanted, or files are lacking.
    package let items: Int

    package init(
        id: Identifier, destination: Identifier, kind: Kind, created: Timestamp, read: Timestamp, state: State, changed: Timestamp,
        bundle: Identifier?, items: Int
    ) {
        self.id = id
        self.destination = destination
        self.kind = kind
        self.created = created
        self.read = read
        self.state = state
        self.changed = changed
        self.bundle = bundle
        self.items = items
    }
}

/// A bundle that was put on a medium and read back.
package struct ExportRecord: Sendable, Hashable {
    package let bundle: Identifier
    /// What people know the medium by.
    package let medium: String
    package let written: Timestamp

    package init(bundle: Identifier, medium: String, written: Timestamp) {
        self.bundle = bundle
        self.medium = medium
        self.written = written
    }
}
