import CSodium

/// A secret key in minisign's format, which prints nothing of itself.
package struct MinisignSecretKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// What verifies this key's signatures.
    package let publicKey: MinisignPublicKey
    /// Seed and public key, as libsodium keeps them.
    private let secret: [UInt8]

    package var description: String { "secret key \(publicKey.keyID)" }
    package var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }

    /// Makes a new key with a random id.
    package static func generate() -> MinisignSecretKey {
        prepareSodium()
        var key = [UInt8](repeating: 0, count: 32)
        var secret = [UInt8](repeating: 0, count: 64)
        precondition(crypto_sign_keypair(&key, &secret) == 0, "libsodium made no key pair")
        let keyID = MinisignKeyID(bytes: randomBytes(8))
        return MinisignSecretKey(publicKey: MinisignPublicKey(keyID: keyID, key: key), secret: secret)
    }

    private init(publicKey: MinisignPublicKey, secret: [UInt8]) {
        self.publicKey = publicKey
        self.secret = secret
    }

    /// Reads a key file.
    ///
    /// A passphrase given for a file that is not encrypted is not used.
    /// - Throws: `.passphraseNeeded`, `.wrongPassphrase`, `.keyDerivation` where the machine lacks the memory (1 GiB for a key
    ///   made by `minisign`), `.malformed` for everything else.
    package init(fileText: String, passphrase: String?) throws(IntegrityError) {
        let file = try MinisignSecretKeyFile(text: fileText)
        let opened = try file.open(passphrase: passphrase)
        var key = [UInt8](repeating: 0, count: 32)
        var secret = [UInt8](repeating: 0, count: 64)
        prepareSodium()
        // The stored public half is proven against the seed: Ed25519 signing with a foreign one gives the seed away.
        guard crypto_sign_seed_keypair(&key, &secret, Array(opened.secret.prefix(32))) == 0, secret == opened.secret else {
            throw IntegrityError(.malformed, "secret key", "its two halves do not belong together")
        }
        self.secret = secret
        publicKey = MinisignPublicKey(keyID: opened.keyID, key: key)
    }

    /// The file `minisign -s` reads, under minisign's own comment; encrypted where a passphrase is given.
    ///
    /// - Throws: `.keyDerivation` where the machine lacks the memory (1 GiB).
    package func fileText(passphrase: String?) throws(IntegrityError) -> String {
        try fileText(passphrase: passphrase, comment: "minisign \(passphrase == nil ? "unencrypted" : "encrypted") secret key")
    }

    /// The file `minisign -s` reads; encrypted where a passphrase is given, as `minisign -G -W` writes it otherwise.
    ///
    /// - Throws: `.unusableComment`; `.keyDerivation` where the machine lacks the memory (1 GiB).
    package func fileText(passphrase: String?, comment: String) throws(IntegrityError) -> String {
        try MinisignText.checkUntrusted(comment)
        let file = try MinisignSecretKeyFile(keyID: publicKey.keyID, secret: secret, passphrase: passphrase)
        return file.text(comment: comment)
    }

    /// Signs a message in pre-hashed mode (`ED`), and the trusted comment with it.
    ///
    /// The same input gives the same bytes.
    /// - Throws: `.unusableComment` for a comment that is not one line without control characters, or too long for the file.
    package func sign(
        _ message: [UInt8], trustedComment: String, untrustedComment: String
    ) throws(IntegrityError) -> MinisignSignature {
        try MinisignText.checkUntrusted(untrustedComment)
        let signature = detached(blake2b(message, count: 64))
        let file = MinisignSignature(
            isPrehashed: true, keyID: publicKey.keyID, signature: signature, trustedComment: trustedComment,
            globalSignature: detached(signature + Array(trustedComment.utf8)), untrustedComment: untrustedComment)
        guard MinisignText.isPrintable(trustedComment, allowingTabs: false), file.fileText.utf8.count <= MinisignText.fileLimit
        else {
            throw IntegrityError(
                .unusableComment, "trusted comment",
                "it must be one line without control characters, and the file no larger than \(MinisignText.fileLimit) bytes")
        }
        return file
    }

    private func detached(_ message: [UInt8]) -> [UInt8] {
        prepareSodium()
        var signature = [UInt8](repeating: 0, count: 64)
        precondition(
            crypto_sign_detached(&signature, nil, message, UInt64(message.count), secret) == 0, "libsodium made no signature")
        return signature
    }
}
