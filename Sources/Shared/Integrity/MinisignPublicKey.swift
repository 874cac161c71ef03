import CSodium

/// A public key in minisign's format: `Ed`, key id, Ed25519 key, in base64.
package struct MinisignPublicKey: Sendable, Hashable {
    /// What signatures by this key carry.
    package let keyID: MinisignKeyID
    let key: [UInt8]

    init(keyID: MinisignKeyID, key: [UInt8]) {
        self.keyID = keyID
        self.key = key
    }

    /// Reads the two-line file or the bare base64 line, with or without the last line feed.
    ///
    /// - Throws: `.malformed` for anything else.
    package init(text: String) throws(IntegrityError) {
        let whole = text.utf8.last == UInt8(ascii: "\n") ? text : text + "\n"
        guard whole.utf8.count <= MinisignText.fileLimit, var lines = MinisignText.lines(of: whole),
            let bytes = lines.popLast().flatMap({ MinisignText.bytes(ofBase64: $0, count: 42) }), bytes.starts(with: "Ed".utf8),
            lines.isEmpty
                || (lines.count == 1 && MinisignText.comment(in: lines[0], after: MinisignText.untrustedPrefix) != nil)
        else { throw IntegrityError(.malformed, "public key", "not a minisign public key") }
        keyID = MinisignKeyID(bytes: bytes[2..<10])
        key = Array(bytes[10...])
    }

    /// The line by which `minisign -P` takes it.
    package var base64: String { base64Text(Array("Ed".utf8) + keyID.bytes + key) }

    /// The file `minisign -p` reads, under minisign's own comment.
    package var fileText: String { "\(MinisignText.untrustedPrefix)minisign public key \(keyID)\n\(base64)\n" }

    /// The file `minisign -p` reads.
    ///
    /// - Throws: `.unusableComment` for a comment that is not one printable line.
    package func fileText(comment: String) throws(IntegrityError) -> String {
        try MinisignText.checkUntrusted(comment)
        return "\(MinisignText.untrustedPrefix)\(comment)\n\(base64)\n"
    }

    /// Sixteen bytes of SHA-512 over key id and key in groups of four digits, for people to compare by voice.
    package var fingerprint: String {
        let hex = SHA512.digest(of: keyID.bytes + key).hex.prefix(32)
        return stride(from: 0, to: 32, by: 4).map { hex.dropFirst($0).prefix(4) }.joined(separator: " ")
    }

    /// Whether the key made this signature over this message, and vouches for its trusted comment.
    ///
    /// Pre-hashed (`ED`) and legacy (`Ed`) signatures count; the untrusted comment is not looked at.
    package func verifies(_ signature: MinisignSignature, over message: [UInt8]) -> Bool {
        guard signature.keyID == keyID else { return false }
        prepareSodium()
        let signed = signature.isPrehashed ? blake2b(message, count: 64) : message
        let global = signature.signature + Array(signature.trustedComment.utf8)
        return crypto_sign_verify_detached(signature.signature, signed, UInt64(signed.count), key) == 0
            && crypto_sign_verify_detached(signature.globalSignature, global, UInt64(global.count), key) == 0
    }
}
