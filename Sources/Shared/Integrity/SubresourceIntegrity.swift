/// npm's `dist.integrity`: hashes in the notation of W3C Subresource Integrity, `alg-base64?options`, apart by white space.
package struct SubresourceIntegrity: Sendable, Hashable {
    /// The SHA-512 hashes, any of which may match.
    package let sha512: [SHA512Digest]
    /// The SHA-1 hashes; they count only where there is no stronger one.
    package let sha1: [SHA1Digest]

    /// `nil` where no hash of a kind known here is readable.
    package init?(_ text: some StringProtocol) {
        var sha512: [SHA512Digest] = []
        var sha1: [SHA1Digest] = []
        for entry in Array(text.utf8).split(whereSeparator: { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }) {
            let hash = entry.prefix { $0 != UInt8(ascii: "?") }
            if hash.starts(with: "sha512-".utf8), let digest = SHA512Digest(base64: hash.dropFirst(7)) { sha512.append(digest) }
            if hash.starts(with: "sha1-".utf8), let digest = SHA1Digest(base64: hash.dropFirst(5)) { sha1.append(digest) }
        }
        guard !sha512.isEmpty || !sha1.isEmpty else { return nil }
        self.sha512 = sha512
        self.sha1 = sha1
    }
}
