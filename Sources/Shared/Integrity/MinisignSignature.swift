/// A signature in minisign's file format: four lines, of which the trusted comment is signed, too.
package struct MinisignSignature: Sendable, Hashable {
    let isPrehashed: Bool
    /// Which key made it.
    package let keyID: MinisignKeyID
    let signature: [UInt8]
    /// The comment the key vouches for.
    package let trustedComment: String
    let globalSignature: [UInt8]
    /// The comment nobody vouches for.
    package let untrustedComment: String

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

    private static let untrustedPrefix = "untrusted comment: "
    private static let trustedPrefix = "trusted comment: "

    /// Reads a signature file of exactly four lines, at most 4 KiB.
    package init(fileText: String) throws(IntegrityError) {
        guard fileText.utf8.count <= 4096, fileText.hasSuffix("\n") else {
            throw IntegrityError(.malformed, "signature", "not a minisign signature")
        }
        let lines = fileText.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 4, lines[0].hasPrefix(Self.untrustedPrefix), lines[2].hasPrefix(Self.trustedPrefix),
            let bytes = bytesOfBase64(lines[1]), bytes.count == 74, let global = bytesOfBase64(lines[3]), global.count == 64,
            bytes.starts(with: "ED".utf8) || bytes.starts(with: "Ed".utf8)
        else { throw IntegrityError(.malformed, "signature", "not a minisign signature") }
        isPrehashed = bytes.starts(with: "ED".utf8)
        keyID = MinisignKeyID(bytes: Array(bytes[2..<10]))
        signature = Array(bytes[10...])
        untrustedComment = String(lines[0].dropFirst(Self.untrustedPrefix.count))
        trustedComment = String(lines[2].dropFirst(Self.trustedPrefix.count))
        globalSignature = global
    }

    /// Reads several signature files that stand one after the other; none for an empty text.
    package static func readAll(_ text: String) throws(IntegrityError) -> [MinisignSignature] {
        var signatures: [MinisignSignature] = []
        var rest = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard rest.last == "" else { throw IntegrityError(.malformed, "signature", "not a minisign signature") }
        rest.removeLast()
        while !rest.isEmpty {
            signatures.append(try MinisignSignature(fileText: rest.prefix(4).joined(separator: "\n") + "\n"))
            rest = rest.dropFirst(4)
        }
        return signatures
    }

    /// The file `minisign -x` reads.
    package var fileText: String {
        let line = base64Text(Array((isPrehashed ? "ED" : "Ed").utf8) + keyID.bytes + signature)
        return
            "\(Self.untrustedPrefix)\(untrustedComment)\n\(line)\n\(Self.trustedPrefix)\(trustedComment)\n\(base64Text(globalSignature))\n"
    }
}
