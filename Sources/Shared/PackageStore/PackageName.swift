/// The name of an npm package that can be a directory of a storage: `name` or `@scope/name` (FORMAT.md §2).
///
/// A value of this type holds no `..`, no empty or hidden component, no escape and no byte outside the alphabet, so it can be appended
/// to a path. Names compare by the bytes of their directory's path, so that sorting packages sorts their files, too.
package struct PackageName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The whole name, with its scope.
    package let text: String

    /// Accepts a name of at most 214 bytes; `nil` for anything that is not one.
    package init?(_ text: String) {
        guard text.utf8.count <= 214, !text.isEmpty else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let isValid =
            switch parts.count {
            case 1: Self.isPart(parts[0])
            case 2: parts[0].first == "@" && Self.isPart(parts[0].dropFirst()) && Self.isPart(parts[1])
            default: false
            }
        guard isValid else { return nil }
        self.text = text
    }

    /// The part after the scope, with which tarball names begin.
    package var base: Substring {
        text.firstIndex(of: "/").map { text[text.index(after: $0)...] } ?? text[...]
    }

    /// The scope with its `@`; `nil` for an unscoped name.
    package var scope: Substring? {
        text.firstIndex(of: "/").map { text[..<$0] }
    }

    package var description: String { text }

    /// What names sort by: the directory's path with its slash, since `-` sorts before `/`.
    package var sortKey: String { text + "/" }

    package static func < (left: PackageName, right: PackageName) -> Bool {
        left.sortKey.utf8.lexicographicallyPrecedes(right.sortKey.utf8)
    }

    private static let reserved: Set<Substring> = ["node_modules", "favicon.ico", "package.json", "__proto__"]

    private static func isPart(_ part: Substring) -> Bool {
        !part.isEmpty && part.first != "." && !reserved.contains(part) && part.utf8.allSatisfy(isNameByte)
    }
}

/// Whether a byte may stand in a package name: `A–Z a–z 0–9 - _ . ! ~ * ' ( )`, what stays unescaped in a URL.
func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "~"), UInt8(ascii: "*"),
        UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"):
        true
    default:
        false
    }
}
