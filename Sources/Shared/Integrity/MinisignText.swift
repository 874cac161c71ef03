import CSodium

/// The lines minisign's files are made of, as bytes: a `Character` may hold a line's end, a byte cannot.
enum MinisignText {
    static let untrustedPrefix = "untrusted comment: "
    static let trustedPrefix = "trusted comment: "
    /// What `minisign` reads of an untrusted comment (1,024 bytes with prefix, line feed and terminator).
    static let untrustedCommentLimit = 1003
    /// The size of a whole signature or key file.
    static let fileLimit = 4096

    /// The lines of a file, each ended by a line feed; `nil` where the last one is not.
    static func lines(of text: String) -> [ArraySlice<UInt8>]? {
        var bytes = Array(text.utf8)
        guard bytes.popLast() == UInt8(ascii: "\n") else { return nil }
        return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    }

    /// The comment after a line's exact prefix; `nil` for another prefix or a comment that cannot be printed.
    static func comment(in line: ArraySlice<UInt8>, after prefix: String) -> String? {
        guard line.starts(with: prefix.utf8), let comment = String(validating: line.dropFirst(prefix.utf8.count), as: UTF8.self),
            isPrintable(comment, allowingTabs: true)
        else { return nil }
        return comment
    }

    /// The bytes of a line of base64 in its only spelling; `nil` for anything else.
    static func bytes(ofBase64 line: ArraySlice<UInt8>, count: Int) -> [UInt8]? {
        guard let text = String(validating: line, as: UTF8.self), let bytes = bytesOfBase64(text.utf8), bytes.count == count else {
            return nil
        }
        return bytes
    }

    /// Whether a comment stays on its line and moves no terminal's cursor.
    ///
    /// `minisign` itself writes tabs.
    static func isPrintable(_ comment: String, allowingTabs: Bool) -> Bool {
        comment.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control: allowingTabs && scalar == "\t"
            case .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
    }

    /// Throws `.unusableComment` for an untrusted comment that minisign could not read back.
    static func checkUntrusted(_ comment: String) throws(IntegrityError) {
        guard isPrintable(comment, allowingTabs: false), comment.utf8.count <= untrustedCommentLimit else {
            throw IntegrityError(
                .unusableComment, "untrusted comment",
                "it must be one line without control characters, of at most \(untrustedCommentLimit) bytes")
        }
    }
}

/// The unkeyed BLAKE2b of a message.
func blake2b(_ message: [UInt8], count: Int) -> [UInt8] {
    prepareSodium()
    var digest = [UInt8](repeating: 0, count: count)
    precondition(crypto_generichash(&digest, count, message, UInt64(message.count), nil, 0) == 0, "BLAKE2b has no such size")
    return digest
}
