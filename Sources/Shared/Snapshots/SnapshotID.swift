/// The label of a snapshot: the UTC time its scan began, `YYYYMMDDTHHMMSSZ`, with `-2`… where that was taken (FORMAT.md §2).
package struct SnapshotID: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    /// Accepts a label in its only spelling.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 16, bytes.count <= 26, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return nil }
        let isTime = bytes[..<15].enumerated().allSatisfy { $0.offset == 8 || isDigit($0.element) }
        let suffix = bytes[16...]
        let isSuffix = suffix.isEmpty || (suffix.first == UInt8(ascii: "-") && suffix.count > 1 && suffix.dropFirst().allSatisfy(isDigit))
        guard isTime, isSuffix else { return nil }
        self.text = text
    }

    package var description: String { text }
}

private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

/// The name of an origin (`o-…`), a destination (`d-…`), a bundle (`b-…`) or a request (`r-…`): 100 random bits in Crockford's alphabet (FORMAT.md §2).
package struct Identifier: Sendable, Hashable, CustomStringConvertible {
    /// What is named.
    package enum Kind: String, Sendable { case origin = "o", destination = "d", bundle = "b", medium = "m", request = "r" }

    package let text: String
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")

    /// Accepts an identifier of that kind in its only spelling.
    package init?(_ text: String, _ kind: Kind) {
        guard text.count == 22, text.hasPrefix("\(kind.rawValue)-"), text.dropFirst(2).allSatisfy(Self.alphabet.contains) else {
            return nil
        }
        self.text = text
    }

    /// Makes one from at least 20 random bytes.
    package init(_ kind: Kind, random: [UInt8]) {
        precondition(random.count >= 20)
        text = "\(kind.rawValue)-" + String(random.prefix(20).map { Self.alphabet[Int($0 & 31)] })
    }

    package var description: String { text }
}
