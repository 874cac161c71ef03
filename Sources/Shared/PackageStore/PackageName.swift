import Platform

/// The name of an npm package that can be a directory of a storage: `name` or `@scope/name` (FORMAT.md §2).
///
/// A value of this type holds no `..`, no empty or hidden component, no escape and no byte outside the alphabet, so it can be appended
/// to a path. Names compare by the bytes of their directory's path, so that sorting packages sorts their files, too.
package struct PackageName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The whole name, with its scope.
    package let text: String

    /// Accepts a name of at most 214 bytes; `nil` for anything that is not one.
    package init?(_ text: String) {
        let bytes = text.utf8
        guard bytes.count <= 214, let first = bytes.first else { return nil }
        if first == UInt8(ascii: "@") {
            guard let slash = bytes.firstIndex(of: UInt8(ascii: "/")), Self.isPart(bytes[bytes.index(after: bytes.startIndex)..<slash]),
                Self.isPart(bytes[bytes.index(after: slash)...])
            else { return nil }
        } else {
            guard Self.isPart(bytes[...]) else { return nil }
        }
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
        left.text.precedesByBytes(right.text, endingIn: UInt8(ascii: "/"))
    }

    private static let reserved = ["node_modules", "favicon.ico", "package.json", "__proto__"]

    private static func isPart(_ part: Substring.UTF8View) -> Bool {
        guard let first = part.first, first != UInt8(ascii: "."), part.allSatisfy(isNameByte) else { return false }
        return !reserved.contains { $0.utf8.count == part.count && part.elementsEqual($0.utf8) }
    }
}

/// Whether a byte may stand in a package name: `A–Z a–z 0–9 - _ . ! ~ * ' ( )`, what stays unescaped in a URL.
package func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "~"), UInt8(ascii: "*"),
        UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"):
        true
    default:
        false
    }
}
