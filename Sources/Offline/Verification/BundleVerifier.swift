package import BundleFormat
package import ImportLedger
import Integrity
package import Snapshots

/// A bundle whose descriptor may be believed: its tail is sound, it is for us, and it is signed as this destination demands.
package struct TrustedBundle: Sendable {
    package let source: ArchiveSource
    package let tail: BundleTail
    /// The trusted keys that signed; empty for an unsigned bundle that was allowed.
    package let keys: [String]

    fileprivate init(source: ArchiveSource, tail: BundleTail, keys: [String]) {
        self.source = source
        self.tail = tail
        self.keys = keys
    }
}

/// Decides whether a bundle's descriptor may be believed (FORMAT.md §6.3, steps 1 to 5).
package struct BundleVerifier: Sendable {
    private let trust: TrustStore?
    private let ledger: Ledger
    private let destination: Identifier
    private let allowsUnsigned: Bool

    package init(trust: TrustStore?, ledger: Ledger, destination: Identifier, allowsUnsigned: Bool) {
        self.trust = trust
        self.ledger = ledger
        self.destination = destination
        self.allowsUnsigned = allowsUnsigned
    }

    /// Reads the tail and nothing else.
    ///
    /// - Throws: `BundleError` for damage, `BundleRefusal` for a bundle that is not for us or not trusted.
    package func verify(_ source: ArchiveSource) throws -> TrustedBundle {
        let tail = try BundleTail(of: source)
        let descriptor = tail.descriptor
        if case .only(let id) = descriptor.destination, id != destination {
            throw BundleRefusal.foreignDestination(id.text, here: destination.text)
        }
        guard !tail.signatures.isEmpty else {
            guard try allowsUnsigned || ledger.allowsUnsigned() else { throw BundleRefusal.unsigned }
            guard try !ledger.hasSignedImport(of: descriptor.origin) else { throw BundleRefusal.unsignedAfterSigned }
            return TrustedBundle(source: source, tail: tail, keys: [])
        }
        guard let trust else { throw BundleRefusal.noTrustStore }
        let known = trust.keys(of: descriptor.origin)
        var signers: Set<String> = []
        for signature in tail.signatures {
            guard let key = known.first(where: { $0.keyID == signature.keyID }) else { continue }
            guard key.verifies(signature, over: tail.descriptorBytes) else { throw BundleRefusal.forged(key: key.keyID.description) }
            guard signature.trustedComment == descriptor.trustedComment else { throw BundleRefusal.contradicted }
            signers.insert(key.keyID.description)
        }
        guard signers.count >= trust.threshold else {
            throw BundleRefusal.notTrusted(
                signedBy: tail.signatures.map(\.keyID.description), trusted: signers.count, needed: trust.threshold,
                origin: descriptor.origin.text)
        }
        return TrustedBundle(source: source, tail: tail, keys: signers.sorted())
    }
}
