package import ImportLedger
package import Integrity
package import Keys
package import Platform
package import Replies
package import Snapshots

/// Who this destination is: its id, its name and its key, as `init` has made them.
package struct DestinationIdentity: Sendable {
    package let card: DestinationCard
    private let key: MinisignSecretKey

    /// Reads the identity, and makes what of it is missing: destinations that were named by an earlier version have no key.
    ///
    /// - Parameters:
    ///   - ring: the keys of the state; the destination's lies there without a passphrase, since receipts are written unattended.
    ///   - name: what it is to be called from now on; `nil` for what it was called, else its id.
    /// - Throws: what a ledger or a key throws.
    package init(_ id: Identifier, ledger: Ledger, ring: KeyRing, name: String? = nil, clock: WallClock = .system) throws {
        if let name { try ledger.set("name", name) }
        let keyID = try ledger.setting("key")
        var key = try ring.secretKeys(passphrase: nil).first { $0.publicKey.keyID.description == keyID }
        if key == nil {
            let made = MinisignSecretKey.generate()
            _ = try ring.add(made, passphrase: nil)
            try ledger.set("key", made.publicKey.keyID.description)
            try ledger.set("key.created", clock.now().description)
            key = made
        }
        guard let key else { throw LedgerError.damaged("the key of this destination") }
        self.key = key
        card = DestinationCard(
            destination: id, name: try ledger.setting("name") ?? id.text, key: key.publicKey,
            created: try ledger.setting("key.created").flatMap { Timestamp($0) } ?? clock.now())
    }

    package func sign(_ reply: some Reply) throws(IntegrityError) -> SignedReply { try SignedReply(reply, by: key) }
}
