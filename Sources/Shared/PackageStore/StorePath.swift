/// The logical path of a file that travels: `<package name>/package.json` or `<package name>/<tarball name>` (FORMAT.md §2).
///
/// Where the file lies in a storage is each side's own business (`StorageLayout`). Paths compare by their bytes.
package struct StorePath: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The package the file belongs to.
    package let package: PackageName
    /// The file's name in the package's directory.
    package let file: FileName

    package init(_ package: PackageName, _ file: FileName) {
        self.package = package
        self.file = file
    }

    /// Accepts a path in its only spelling; `nil` for anything else, `..`, escapes and absolute paths among them.
    package init?(_ text: String) {
        guard let slash = text.lastIndex(of: "/"), let package = PackageName(String(text[..<slash])),
            let file = FileName(String(text[text.index(after: slash)...]))
        else { return nil }
        self.init(package, file)
    }

    package var description: String { "\(package.text)/\(file.text)" }

    package static func < (left: StorePath, right: StorePath) -> Bool {
        left.package == right.package ? left.file < right.file : left.package < right.package
    }
}

/// The name of a file that travels: `package.json`, or a tarball's.
package struct FileName: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let text: String

    /// The packument's name in every package.
    package static let packument = FileName(unchecked: "package.json")

    /// Accepts `package.json` and tarball names (FORMAT.md §2); `nil` for anything else.
    package init?(_ text: String) {
        let isTarball =
            text.utf8.count <= 255 && text.hasSuffix(".tgz") && text.first != "." && text.utf8.count > 4
            && text.utf8.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "+") }
        guard isTarball || text == "package.json" else { return nil }
        self.text = text
    }

    private init(unchecked text: String) {
        self.text = text
    }

    /// Whether this names the packument rather than a tarball.
    package var isPackument: Bool { self == .packument }

    package var description: String { text }

    package static func < (left: FileName, right: FileName) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}
