import CSodium

/// The 158 bytes of minisign's secret key file: `Ed`, key derivation (`Sc`, or zeros for none), `B2`, salt (32), operations (8) and
/// memory (8) for scrypt, then key id (8), secret key (64) and their BLAKE2b (32), which the passphrase's key stream is laid over.
struct MinisignSecretKeyFile {
    private static let size = 158

    private let isEncrypted: Bool
    private let salt: [UInt8]
    private let operations: UInt64
    private let memory: UInt64
    private let sealed: [UInt8]

    /// Reads the file without opening it.
    ///
    /// - Throws: `.malformed`, also for limits above those that minisign writes.
    init(text: String) throws(IntegrityError) {
        guard text.utf8.count <= MinisignText.fileLimit, let lines = MinisignText.lines(of: text), lines.count == 2,
            MinisignText.comment(in: lines[0], after: MinisignText.untrustedPrefix) != nil,
            let bytes = MinisignText.bytes(ofBase64: lines[1], count: Self.size),
            bytes.starts(with: "Ed".utf8), bytes[4..<6].elementsEqual("B2".utf8)
        else { throw IntegrityError(.malformed, "secret key", "not a minisign secret key") }
        isEncrypted = bytes[2..<4].elementsEqual("Sc".utf8)
        salt = Array(bytes[6..<38])
        operations = number(bytes[38..<46])
        memory = number(bytes[46..<54])
        sealed = Array(bytes[54...])
        guard isEncrypted || bytes[2..<4].elementsEqual([0, 0]) else {
            throw IntegrityError(.malformed, "secret key", "an unknown key derivation")
        }
        guard operations <= UInt64(crypto_pwhash_scryptsalsa208sha256_opslimit_sensitive()),
            memory <= UInt64(crypto_pwhash_scryptsalsa208sha256_memlimit_sensitive())
        else { throw IntegrityError(.malformed, "secret key", "its key derivation asks for too much") }
    }

    /// Seals a key; in the clear without a passphrase, then without limits and checksum, as `minisign -G -W` writes it.
    init(keyID: MinisignKeyID, secret: [UInt8], passphrase: String?) throws(IntegrityError) {
        isEncrypted = passphrase != nil
        guard let passphrase else {
            salt = [UInt8](repeating: 0, count: 32)
            operations = 0
            memory = 0
            sealed = keyID.bytes + secret + [UInt8](repeating: 0, count: 32)
            return
        }
        salt = randomBytes(32)
        operations = UInt64(crypto_pwhash_scryptsalsa208sha256_opslimit_sensitive())
        memory = UInt64(crypto_pwhash_scryptsalsa208sha256_memlimit_sensitive())
        let plain = keyID.bytes + secret + Self.checksum(keyID: keyID.bytes, secret: secret)
        sealed = zip(plain, try keyStream(passphrase, salt: salt, operations: operations, memory: memory)).map { $0 ^ $1 }
    }

    func text(comment: String) -> String {
        let derivation = isEncrypted ? Array("Sc".utf8) : [0, 0]
        let header = Array("Ed".utf8) + derivation + Array("B2".utf8) + salt + littleEndian(operations) + littleEndian(memory)
        return "\(MinisignText.untrustedPrefix)\(comment)\n\(base64Text(header + sealed))\n"
    }

    /// The key id and the 64 secret bytes.
    func open(passphrase: String?) throws(IntegrityError) -> (keyID: MinisignKeyID, secret: [UInt8]) {
        var plain = sealed
        if isEncrypted {
            guard let passphrase else { throw IntegrityError(.passphraseNeeded, "secret key", "it needs its passphrase") }
            plain = zip(sealed, try keyStream(passphrase, salt: salt, operations: operations, memory: memory)).map { $0 ^ $1 }
        }
        let keyID = Array(plain[0..<8])
        let secret = Array(plain[8..<72])
        // minisign 0.11 writes no checksum into a file that is not encrypted.
        let isUnchecked = !isEncrypted && plain[72...].allSatisfy { $0 == 0 }
        guard isUnchecked || plain[72...].elementsEqual(Self.checksum(keyID: keyID, secret: secret)) else {
            throw isEncrypted
                ? IntegrityError(.wrongPassphrase, "secret key", "the passphrase is wrong")
                : IntegrityError(.malformed, "secret key", "its checksum is wrong")
        }
        return (MinisignKeyID(bytes: keyID), secret)
    }

    private static func checksum(keyID: [UInt8], secret: [UInt8]) -> [UInt8] {
        blake2b(Array("Ed".utf8) + keyID + secret, count: 32)
    }
}

private func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }

private func littleEndian(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

/// The bytes that cover the sealed part: scrypt over the passphrase as libsodium limits it.
private func keyStream(
    _ passphrase: String, salt: [UInt8], operations: UInt64, memory: UInt64
) throws(IntegrityError) -> [UInt8] {
    prepareSodium()
    var stream = [UInt8](repeating: 0, count: 104)
    let passphrase = passphrase.utf8.map { CChar(bitPattern: $0) }
    let result = crypto_pwhash_scryptsalsa208sha256(
        &stream, UInt64(stream.count), passphrase, UInt64(passphrase.count), salt, operations, Int(memory))
    guard result == 0 else { throw IntegrityError(.keyDerivation, "secret key", "no memory for its key derivation") }
    return stream
}
