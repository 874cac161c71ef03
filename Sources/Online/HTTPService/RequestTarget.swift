/// What a request asks for: the segments of its path and the pairs of its query, percent-decoded exactly once.
struct RequestTarget: Sendable, Equatable {
    /// The path as it came.
    let rawPath: String
    /// Of the path; a slash within one was written `%2F`.
    let segments: [String]
    /// Of the query, in order.
    let query: [(name: String, value: String)]

    /// Reads the path and query of a request line.
    ///
    /// - Throws: `Problem` for what is no path, for an escape that is none, for bytes that are no UTF-8, for control characters, and for
    ///   segments that would mean another directory.
    init(_ target: String) throws(Problem) {
        guard target.utf8.first == UInt8(ascii: "/") else { throw Problem(.malformed, "the address does not begin with a slash") }
        guard target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else {
            throw Problem(.malformed, "the address has characters that must be percent-encoded")
        }
        let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
        rawPath = String(decoding: path, as: UTF8.self)
        var segments: [String] = []
        for segment in path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            let text = try Self.decode(segment, plusIsSpace: false)
            guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
                throw Problem(.malformed, "the address has a control character")
            }
            guard !text.split(separator: "/", omittingEmptySubsequences: false).contains(where: { $0 == "." || $0 == ".." }) else {
                throw Problem(.malformed, "the address has \".\" or \"..\" as a part")
            }
            segments.append(text)
        }
        self.segments = segments
        var query: [(name: String, value: String)] = []
        for pair in target.utf8.dropFirst(path.count + 1).split(separator: UInt8(ascii: "&")) {
            let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            query.append(
                (try Self.decode(halves[0], plusIsSpace: true), halves.count > 1 ? try Self.decode(halves[1], plusIsSpace: true) : ""))
        }
        self.query = query
    }

    static func == (left: RequestTarget, right: RequestTarget) -> Bool {
        left.rawPath == right.rawPath && left.segments == right.segments && left.query.elementsEqual(right.query, by: ==)
    }

    /// - Parameter plusIsSpace: as forms, and so queries, are written.
    private static func decode(_ text: some Sequence<UInt8>, plusIsSpace: Bool) throws(Problem) -> String {
        var bytes: [UInt8] = []
        var iterator = text.makeIterator()
        while let byte = iterator.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = iterator.next().flatMap(hexValue), let low = iterator.next().flatMap(hexValue) else {
                    throw Problem(.malformed, "the address has a percent sign that two hexadecimal digits do not follow")
                }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw Problem(.malformed, "the address has bytes that are not UTF-8")
        }
        return decoded
    }

    /// The path of a request line as a reference that may stand in a document, whatever came.
    static func reference(to target: String) -> String {
        let legal = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/".utf8)
        let path = Array(target.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }.prefix(2048))
        var text = ""
        for (index, byte) in path.enumerated() {
            let isEscape =
                byte == UInt8(ascii: "%") && index + 2 < path.count && hexValue(path[index + 1]) != nil && hexValue(path[index + 2]) != nil
            if legal.contains(byte) || isEscape {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = Array("0123456789ABCDEF".unicodeScalars)
                text.unicodeScalars.append(contentsOf: ["%", digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            }
        }
        // Two slashes would name a host.
        while text.hasPrefix("//") { text.removeFirst() }
        return text
    }
}

private func hexValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
}
