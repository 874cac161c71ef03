import CCrypto

/// SHA-512 over bytes that come piece by piece.
package final class SHA512Hasher {
    private let context = MessageDigest(EVP_sha512())

    package init() {}

    /// Takes the next bytes.
    package func update(_ bytes: UnsafeRawBufferPointer) { context.update(bytes) }

    /// Takes the next bytes.
    package func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { context.update($0) } }

    /// The digest of all that was taken.
    ///
    /// Nothing may be taken afterwards.
    package func finalize() -> SHA512Digest {
        guard let digest = SHA512Digest(bytes: context.finalize()) else { preconditionFailure("libcrypto made no SHA-512 digest") }
        return digest
    }
}

/// SHA-1 over bytes that come piece by piece.
package final class SHA1Hasher {
    private let context = MessageDigest(EVP_sha1())

    package init() {}

    /// Takes the next bytes.
    package func update(_ bytes: UnsafeRawBufferPointer) { context.update(bytes) }

    /// The digest of all that was taken.
    ///
    /// Nothing may be taken afterwards.
    package func finalize() -> SHA1Digest {
        guard let digest = SHA1Digest(bytes: context.finalize()) else { preconditionFailure("libcrypto made no SHA-1 digest") }
        return digest
    }
}

/// SHA-512 of bytes that are all there.
package enum SHA512 {
    /// The digest of one message.
    package static func digest(of bytes: UnsafeRawBufferPointer) -> SHA512Digest {
        let hasher = SHA512Hasher()
        hasher.update(bytes)
        return hasher.finalize()
    }

    /// The digest of one message.
    package static func digest(of bytes: [UInt8]) -> SHA512Digest { bytes.withUnsafeBytes { digest(of: $0) } }
}

/// A libcrypto digest context.
///
/// It fails only for want of memory, which nothing survives.
private final class MessageDigest {
    private let context = EVP_MD_CTX_new()

    init(_ algorithm: OpaquePointer?) {
        precondition(EVP_DigestInit_ex(context, algorithm, nil) == 1, "libcrypto has no such digest")
    }

    deinit { EVP_MD_CTX_free(context) }

    func update(_ bytes: UnsafeRawBufferPointer) {
        precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "libcrypto cannot digest")
    }

    func finalize() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
            var length: UInt32 = 0
            precondition(EVP_DigestFinal_ex(context, buffer.baseAddress, &length) == 1, "libcrypto cannot end a digest")
            count = Int(length)
        }
    }
}
