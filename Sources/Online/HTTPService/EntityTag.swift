import Integrity

/// What tells one state of a resource from any other (RFC 9110 §8.8.3): a strong tag.
struct EntityTag: Equatable {
    /// With its quotes.
    let text: String

    /// The tag of these bytes.
    init(of bytes: [UInt8]) { text = "\"\(SHA512.digest(of: bytes).hex.prefix(32))\"" }

    /// The tag of a revision, in whose characters no quote may stand.
    init(revision: String) { text = "\"\(revision)\"" }

    /// Whether an `If-None-Match` names this state, so that the client has it: `*`, or a list, compared weakly.
    func matches(ifNoneMatch field: String) -> Bool {
        if field.trimmingSpaces == "*" { return true }
        var rest = field[...]
        while !rest.isEmpty {
            rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
            if rest.hasPrefix("W/") { rest = rest.dropFirst(2) }
            guard rest.first == "\"", let end = rest.dropFirst().firstIndex(of: "\"") else { return false }
            if rest[...end] == text { return true }
            rest = rest[rest.index(after: end)...]
        }
        return false
    }

    /// Whether an `If-Range` means this state: the same strong tag, and no date, since none is ever given.
    func matches(ifRange field: String) -> Bool { field.trimmingSpaces == text }
}

extension String {
    private static let spaces: Set<Character> = [" ", "\t"]

    /// The text without the spaces and tabs around it.
    var trimmingSpaces: Substring {
        var rest = drop { Self.spaces.contains($0) }
        while let last = rest.last, Self.spaces.contains(last) { rest.removeLast() }
        return rest
    }
}
