package import CanonicalJSON
import Glibc
package import Integrity
package import PackageStore

/// Why a file of the baseline is not in the target (FORMAT.md §5.1).
package enum RemovalReason: String, Sendable, Hashable {
    /// It has left the storage.
    case absent
    /// Upstream has withdrawn it.
    case withdrawn
}

/// One file of a snapshot or bundle: a line of a manifest (FORMAT.md §4, §5.1).
package struct SnapshotFile: Sendable, Hashable {
    package let path: StorePath
    package let digest: SHA512Digest
    /// Bytes; of a packument, those of its transfer form.
    package let size: Int64
    /// The version a tarball belongs to; `nil` for a packument.
    package let version: PackageVersion?

    package init(path: StorePath, digest: SHA512Digest, size: Int64, version: PackageVersion?) {
        self.path = path
        self.digest = digest
        self.size = size
        self.version = version
    }

    /// Largest tarball, in bytes (FORMAT.md §2).
    package static let tarballLimit: Int64 = 4 << 30
    /// Largest transfer form, in bytes (FORMAT.md §2).
    package static let packumentLimit: Int64 = 256 << 20

    /// Appends `<sha512>  <path>\n`, the line of the state root and of `sha512sum`.
    package func appendSumLine(to bytes: inout [UInt8], prefix: String = "") {
        digest.appendHex(to: &bytes)
        bytes.append(contentsOf: "  ".utf8)
        bytes.append(contentsOf: prefix.utf8)
        path.append(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Appends the canonical JSON of the line, with `reason` where it is a removal.
    package func appendManifestLine(to bytes: inout [UInt8], reason: RemovalReason? = nil) {
        // Members in canonical order; the alphabets of names and versions need no escapes.
        let opening: StaticString = version == nil ? "{\"kind\":\"packument\",\"package\":\"" : "{\"kind\":\"tarball\",\"package\":\""
        opening.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: path.package.text.utf8)
        bytes.append(contentsOf: "\",\"path\":\"".utf8)
        path.append(to: &bytes)
        if let reason {
            bytes.append(contentsOf: "\",\"reason\":\"".utf8)
            bytes.append(contentsOf: reason.rawValue.utf8)
        }
        bytes.append(contentsOf: "\",\"sha512\":\"".utf8)
        digest.appendHex(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        if reason == nil {
            bytes.append(contentsOf: ",\"size\":".utf8)
            bytes.append(contentsOf: String(size).utf8)
        }
        if let version {
            bytes.append(contentsOf: ",\"version\":\"".utf8)
            bytes.append(contentsOf: version.text.utf8)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// Reads a line that `appendManifestLine` made, and refuses anything else.
    package init(parsing line: [UInt8], document: String) throws(DocumentError) {
        if let file = SnapshotFile(laidOut: line) {
            self = file
            return
        }
        var object = try StrictObject(parsing: line, document: document)
        try self.init(&object, isRemoval: false)
        try object.finish()
    }

    /// Reads a line that `appendManifestLine` made with a reason, and refuses anything else; the file's size is not in it.
    package static func removal(
        parsing line: [UInt8], document: String
    ) throws(DocumentError) -> (file: SnapshotFile, reason: RemovalReason) {
        var object = try StrictObject(parsing: line, document: document)
        let file = try SnapshotFile(&object, isRemoval: true)
        let word = try object.string("reason")
        guard let reason = RemovalReason(rawValue: word) else { throw DocumentError(document, "the reason \"\(word)\" is unknown") }
        try object.finish()
        return (file, reason)
    }

    private init(_ object: inout StrictObject, isRemoval: Bool) throws(DocumentError) {
        let document = object.document
        let kind = try object.string("kind")
        let package = try object.string("package")
        let text = try object.string("path")
        guard let path = StorePath(text), path.package.text == package else {
            throw DocumentError(document, "\"\(text.prefix(300))\" is not a path of a storage")
        }
        guard kind == (path.file.isPackument ? "packument" : "tarball") else {
            throw DocumentError(document, "\"\(path)\" is not of kind \"\(kind)\"")
        }
        digest = try object.take("sha512") { $0.string.flatMap { SHA512Digest(hex: $0) } }
        self.path = path
        let limit = path.file.isPackument ? Self.packumentLimit : Self.tarballLimit
        size = isRemoval ? 0 : try object.integer("size", in: 0...limit)
        version = path.file.isPackument ? nil : try object.take("version") { $0.string.flatMap { PackageVersion($0) } }
    }
}

extension SnapshotFile {
    /// Reads a line laid out to the byte as `appendManifestLine` does, which are millions; `nil` for any other, which is read member by
    /// member.
    private init?(laidOut line: [UInt8]) {
        let file = line.withUnsafeBytes { bytes -> SnapshotFile? in
            var line = LaidOutLine(rest: bytes)
            return SnapshotFile(laidOut: &line)
        }
        guard let file else { return nil }
        self = file
    }

    private init?(laidOut line: inout LaidOutLine) {
        let isTarball = line.skip("{\"kind\":\"tarball\",\"package\":\"")
        guard isTarball || line.skip("{\"kind\":\"packument\",\"package\":\"") else { return nil }
        let name = line.takeUntilQuote()
        guard let package = PackageName(String(decoding: name, as: UTF8.self)), line.skip("\",\"path\":\""), line.skip(name),
            line.skip("/"), let file = FileName(String(decoding: line.takeUntilQuote(), as: UTF8.self)), file.isPackument != isTarball,
            line.skip("\",\"sha512\":\""), let digest = SHA512Digest(hexDigits: line.takeUntilQuote()), line.skip("\",\"size\":"),
            let size = line.takeNumber(), size <= (isTarball ? Self.tarballLimit : Self.packumentLimit)
        else { return nil }
        var version: PackageVersion?
        if isTarball {
            guard line.skip(",\"version\":\"") else { return nil }
            version = PackageVersion(String(decoding: line.takeUntilQuote(), as: UTF8.self))
            guard version != nil, line.skip("\"") else { return nil }
        }
        guard line.skip("}"), line.rest.isEmpty else { return nil }
        self.init(path: StorePath(package, file), digest: digest, size: size, version: version)
    }
}

/// What is still to be read of a line.
private struct LaidOutLine {
    private(set) var rest: UnsafeRawBufferPointer

    init(rest: UnsafeRawBufferPointer) {
        self.rest = rest
    }

    /// Passes over a text that stands next; `false` where another does.
    mutating func skip(_ text: StaticString) -> Bool { text.withUTF8Buffer { skip(UnsafeRawBufferPointer($0)) } }

    /// Passes over bytes that stand next; `false` where others do.
    mutating func skip(_ expected: UnsafeRawBufferPointer) -> Bool {
        guard rest.count >= expected.count, let next = rest.baseAddress, let wanted = expected.baseAddress,
            memcmp(next, wanted, expected.count) == 0
        else { return false }
        rest = UnsafeRawBufferPointer(rebasing: rest[expected.count...])
        return true
    }

    /// What stands before the next quote or escape.
    mutating func takeUntilQuote() -> UnsafeRawBufferPointer {
        let length = rest.firstIndex { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") } ?? rest.count
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[length...]) }
        return UnsafeRawBufferPointer(rebasing: rest[..<length])
    }

    /// A number of at most ten digits as JSON writes it; `nil` for anything else.
    mutating func takeNumber() -> Int64? {
        let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard let first = digits.first, digits.count <= 10, digits.count == 1 || first != 0x30 else { return nil }
        rest = UnsafeRawBufferPointer(rebasing: rest[digits.count...])
        return digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }
}

/// How much a snapshot or bundle holds.
package struct ContentCounts: Sendable, Hashable {
    package var packages = 0
    package var files = 0
    /// Bytes.
    package var bytes: Int64 = 0

    package init() {}

    /// Counts one more file; packages are counted by whoever knows where one ends.
    package mutating func add(_ file: SnapshotFile) {
        files += 1
        bytes += file.size
    }
}
