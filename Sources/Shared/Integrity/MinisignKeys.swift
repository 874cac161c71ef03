import CSodium

/// The eight bytes that say which key a signature was made with.
package struct MinisignKeyID: Sendable, Hashable, CustomStringConvertible {
    let bytes: [UInt8]

    /// As `minisign` prints it: the little-endian number in upper-case hexadecimal.
    package var description: String {
        bytes.reversed().map { byte in String(Int(byte) + 256, radix: 16, uppercase: true).suffix(2) }.joined()
    }
}

/// A public key in minisign's format: `Ed`, key id, Ed25519 key, in base64.
package struct MinisignPublicKey: Sendable, Hashable {
    package let keyID: MinisignKeyID
    let key: [UInt8]

    init(keyID: MinisignKeyID, key: [UInt8]) {
        self.keyID = keyID
        self.key = key
    }

    /// Reads the two-line file or the bare base64 line.
    package init(text: String) throws(IntegrityError) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
        guard let line = lines.last, lines.count == 1 || (lines.count == 2 && lines[0].hasPrefix("untrusted comment:")),
            let bytes = bytesOfBase64(line), bytes.count == 42, bytes.starts(with: "Ed".utf8)
        else { throw IntegrityError(.malformed, "public key", "not a minisign public key") }
        keyID = MinisignKeyID(bytes: Array(bytes[2..<10]))
        key = Array(bytes[10...])
    }

    /// The line by which `minisign -P` takes it.
    package var base64: String { base64Text(Array("Ed".utf8) + keyID.bytes + key) }

    /// The file `minisign -p` reads.
    package var fileText: String { "untrusted comment: minisign public key \(keyID)\n\(base64)\n" }

    /// Sixteen bytes of SHA-512 over the key, for people to compare by voice.
    package var fingerprint: String {
        let hex = SHA512.digest(of: keyID.bytes + key).hex.prefix(32)
        return stride(from: 0, to: 32, by: 4).map { hex.dropFirst($0).prefix(4) }.joined(separator: " ")
    }

    /// Whether the key made this signature over this message, its trusted comment included.
    package func verifies(_ signature: MinisignSignature, over message: [UInt8]) -> Bool {
        guard signature.keyID == keyID else { return false }
        prepareSodium()
        let signed = signature.isPrehashed ? blake2b(message, count: 64) : message
        let global = signature.signature + Array(signature.trustedComment.utf8)
        return crypto_sign_verify_detached(signature.signature, signed, UInt64(signed.count), key) == 0
            && crypto_sign_verify_detached(signature.globalSignature, global, UInt64(global.count), key) == 0
    }
}

/// A secret key in minisign's format.
///
/// It prints nothing of itself.
package struct MinisignSecretKey: Sendable, CustomStringConvertible {
    package let publicKey: MinisignPublicKey
    private let secret: [UInt8]

    package var description: String { "secret key \(publicKey.keyID)" }

    /// Makes a new key.
    package static func generate() -> MinisignSecretKey {
        prepareSodium()
        var key = [UInt8](repeating: 0, count: 32)
        var secret = [UInt8](repeating: 0, count: 64)
        crypto_sign_keypair(&key, &secret)
        let keyID = MinisignKeyID(bytes: randomBytes(8))
        return MinisignSecretKey(publicKey: MinisignPublicKey(keyID: keyID, key: key), secret: secret)
    }

    private init(publicKey: MinisignPublicKey, secret: [UInt8]) {
        self.publicKey = publicKey
        self.secret = secret
    }

    /// Reads a key file, with or without a passphrase (minisign: `Ed`, KDF, `B2`, salt, limits, encrypted id, key, checksum).
    package init(fileText: String, passphrase: String?) throws(IntegrityError) {
        let lines = fileText.split(separator: "\n", omittingEmptySubsequences: true)
        guard lines.count == 2, lines[0].hasPrefix("untrusted comment:"), var bytes = bytesOfBase64(lines[1]), bytes.count == 158,
            bytes.starts(with: "Ed".utf8), bytes[4..<6].elementsEqual("B2".utf8)
        else { throw IntegrityError(.malformed, "secret key", "not a minisign secret key") }
        let isEncrypted = bytes[2..<4].elementsEqual("Sc".utf8)
        guard isEncrypted || bytes[2..<4].allSatisfy({ $0 == 0 }) else {
            throw IntegrityError(.malformed, "secret key", "an unknown key derivation")
        }
        if isEncrypted {
            guard let passphrase else { throw IntegrityError(.passphraseNeeded, "secret key", "it needs its passphrase") }
            let stream = try keyStream(passphrase, salt: Array(bytes[6..<38]), limits: Array(bytes[38..<54]))
            for index in 0..<104 { bytes[54 + index] ^= stream[index] }
        }
        let keyID = Array(bytes[54..<62])
        let secret = Array(bytes[62..<126])
        let checksum = Array(bytes[126..<158])
        guard blake2b(Array("Ed".utf8) + keyID + secret, count: 32) == checksum else {
            throw IntegrityError(
                isEncrypted ? .wrongPassphrase : .malformed, "secret key",
                isEncrypted ? "the passphrase is wrong" : "its checksum is wrong")
        }
        self.secret = secret
        publicKey = MinisignPublicKey(keyID: MinisignKeyID(bytes: keyID), key: Array(secret[32...]))
    }

    /// The file `minisign -s` reads; encrypted where a passphrase is given, as `minisign -G -W` writes it otherwise.
    package func fileText(passphrase: String?) throws(IntegrityError) -> String {
        let checksum = blake2b(Array("Ed".utf8) + publicKey.keyID.bytes + secret, count: 32)
        var plain = publicKey.keyID.bytes + secret + checksum
        var header = Array("Ed".utf8)
        if let passphrase {
            let salt = randomBytes(32)
            let limits =
                littleEndian(UInt64(crypto_pwhash_scryptsalsa208sha256_opslimit_sensitive()))
                + littleEndian(UInt64(crypto_pwhash_scryptsalsa208sha256_memlimit_sensitive()))
            let stream = try keyStream(passphrase, salt: salt, limits: limits)
            for index in plain.indices { plain[index] ^= stream[index] }
            header += Array("ScB2".utf8) + salt + limits
        } else {
            header += [0, 0] + Array("B2".utf8) + [UInt8](repeating: 0, count: 48)
        }
        let kind = passphrase == nil ? "minisign unencrypted secret key" : "minisign encrypted secret key"
        return "untrusted comment: \(kind)\n\(base64Text(header + plain))\n"
    }

    /// Signs a message in pre-hashed mode (`ED`), and the trusted comment with it.
    ///
    /// - Throws: `.unusableComment` for a comment of more than one line.
    package func sign(
        _ message: [UInt8], trustedComment: String, untrustedComment: String
    ) throws(IntegrityError) -> MinisignSignature {
        for comment in [trustedComment, untrustedComment] {
            guard comment.utf8.count <= 1024, comment.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                throw IntegrityError(.unusableComment, "comment", "it must be one line of at most 1024 bytes")
            }
        }
        let signature = detached(blake2b(message, count: 64))
        return MinisignSignature(
            isPrehashed: true, keyID: publicKey.keyID, signature: signature, trustedComment: trustedComment,
            globalSignature: detached(signature + Array(trustedComment.utf8)), untrustedComment: untrustedComment)
    }

    private func detached(_ message: [UInt8]) -> [UInt8] {
        prepareSodium()
        var signature = [UInt8](repeating: 0, count: 64)
        crypto_sign_detached(&signature, nil, message, UInt64(message.count), secret)
        return signature
    }
}

private func littleEndian(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

private func keyStream(_ passphrase: String, salt: [UInt8], limits: [UInt8]) throws(IntegrityError) -> [UInt8] {
    prepareSodium()
    func number(_ range: Range<Int>) -> UInt64 { limits[range].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    let operations = number(0..<8)
    let memory = number(8..<16)
    // minisign writes libsodium's SENSITIVE limits; more than that is an attack on this machine's memory.
    guard operations <= UInt64(crypto_pwhash_scryptsalsa208sha256_opslimit_sensitive()),
        memory <= UInt64(crypto_pwhash_scryptsalsa208sha256_memlimit_sensitive())
    else { throw IntegrityError(.malformed, "secret key", "its key derivation asks for too much") }
    var stream = [UInt8](repeating: 0, count: 104)
    let result = crypto_pwhash_scryptsalsa208sha256(
        &stream, 104, passphrase, UInt64(passphrase.utf8.count), salt, operations, Int(memory))
    guard result == 0 else { throw IntegrityError(.malformed, "secret key", "no memory for its key derivation") }
    return stream
}

func blake2b(_ message: [UInt8], count: Int) -> [UInt8] {
    prepareSodium()
    var digest = [UInt8](repeating: 0, count: count)
    crypto_generichash(&digest, count, message, UInt64(message.count), nil, 0)
    return digest
}
