import Platform

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
        let bytes = text.utf8
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")), let package = PackageName(String(text[..<slash])),
            let file = FileName(String(text[bytes.index(after: slash)...]))
        else { return nil }
        self.init(package, file)
    }

    package var description: String { "\(package.text)/\(file.text)" }

    /// Appends the bytes of `description`.
    package func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: package.text.utf8)
        bytes.append(UInt8(ascii: "/"))
        bytes.append(contentsOf: file.text.utf8)
    }

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
        let bytes = text.utf8
        let isTarball =
            bytes.count <= 255 && bytes.count > 4 && bytes.suffix(4).elementsEqual(".tgz".utf8) && bytes.first != UInt8(ascii: ".")
            && bytes.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "+") }
        guard isTarball || bytes.elementsEqual("package.json".utf8) else { return nil }
        self.text = text
    }

    /// The name behind the last slash of an address, before its query and fragment; `nil` where that is no name.
    init?(lastSegmentOf url: String) {
        let path = url.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        let trimmed = path[..<(path.lastIndex { $0 != UInt8(ascii: "/") }.map { path.index(after: $0) } ?? path.startIndex)]
        let start = trimmed.lastIndex(of: UInt8(ascii: "/")).map { trimmed.index(after: $0) } ?? trimmed.startIndex
        self.init(String(decoding: trimmed[start...], as: UTF8.self))
    }

    private init(unchecked text: String) {
        self.text = text
    }

    /// Whether this names the packument rather than a tarball.
    package var isPackument: Bool { self == .packument }

    package var description: String { text }

    package static func < (left: FileName, right: FileName) -> Bool {
        left.text.precedesByBytes(right.text)
    }
}
