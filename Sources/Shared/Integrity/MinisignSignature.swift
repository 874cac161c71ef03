/// A signature in minisign's file format: four lines, of which the trusted comment is signed, too.
package struct MinisignSignature: Sendable, Hashable {
    /// Whether BLAKE2b of the message was signed (`ED`), not the message itself (`Ed`).
    let isPrehashed: Bool
    /// Which key is said to have made it.
    package let keyID: MinisignKeyID
    let signature: [UInt8]
    /// The comment the key vouches for.
    package let trustedComment: String
    let globalSignature: [UInt8]
    /// The comment nobody vouches for.
    package let untrustedComment: String

    /// How many signatures `readAll` takes (FORMAT.md, limits).
    package static let countLimit = 16

    init(
        isPrehashed: Bool, keyID: MinisignKeyID, signature: [UInt8], trustedComment: String, globalSignature: [UInt8],
        untrustedComment: String
    ) {
        self.isPrehashed = isPrehashed
        self.keyID = keyID
        self.signature = signature
        self.trustedComment = trustedComment
        self.globalSignature = globalSignature
        self.untrustedComment = untrustedComment
    }

    /// Reads a signature file of exactly four lines, each ended by a line feed, of at most 4 KiB.
    ///
    /// What was read writes the same bytes. Nothing is verified.
    /// - Throws: `.malformed` for other lines, prefixes, sizes or spellings, and for control characters other than a tab.
    package init(fileText: String) throws(IntegrityError) {
        guard fileText.utf8.count <= MinisignText.fileLimit, let lines = MinisignText.lines(of: fileText) else {
            throw Self.malformed
        }
        try self.init(lines: lines[...])
    }

    private init(lines: ArraySlice<ArraySlice<UInt8>>) throws(IntegrityError) {
        let lines = Array(lines)
        guard lines.count == 4, lines.reduce(4, { $0 + $1.count }) <= MinisignText.fileLimit,
            let untrusted = MinisignText.comment(in: lines[0], after: MinisignText.untrustedPrefix),
            let bytes = MinisignText.bytes(ofBase64: lines[1], count: 74),
            bytes.starts(with: "ED".utf8) || bytes.starts(with: "Ed".utf8),
            let trusted = MinisignText.comment(in: lines[2], after: MinisignText.trustedPrefix),
            let global = MinisignText.bytes(ofBase64: lines[3], count: 64)
        else { throw Self.malformed }
        isPrehashed = bytes.starts(with: "ED".utf8)
        keyID = MinisignKeyID(bytes: bytes[2..<10])
        signature = Array(bytes[10...])
        untrustedComment = untrusted
        trustedComment = trusted
        globalSignature = global
    }

    /// Reads up to sixteen signature files that stand one after the other; none for an empty text.
    ///
    /// - Throws: `.malformed` where one of them, or their number, is not what `init(fileText:)` and `countLimit` allow.
    package static func readAll(_ text: String) throws(IntegrityError) -> [MinisignSignature] {
        guard !text.isEmpty else { return [] }
        guard text.utf8.count <= MinisignText.fileLimit * countLimit, var rest = MinisignText.lines(of: text)?[...],
            rest.count <= 4 * countLimit
        else { throw malformed }
        var signatures: [MinisignSignature] = []
        while !rest.isEmpty {
            signatures.append(try MinisignSignature(lines: rest.prefix(4)))
            rest = rest.dropFirst(4)
        }
        return signatures
    }

    /// The file `minisign -x` reads.
    package var fileText: String {
        let line = base64Text(Array((isPrehashed ? "ED" : "Ed").utf8) + keyID.bytes + signature)
        return """
            \(MinisignText.untrustedPrefix)\(untrustedComment)
            \(line)
            \(MinisignText.trustedPrefix)\(trustedComment)
            \(base64Text(globalSignature))

            """
    }

    private static let malformed = IntegrityError(.malformed, "signature", "not a minisign signature")
}
