import BundleFormat
package import Integrity
package import PackageStore
package import Platform
import Snapshots

/// Reads `snapshot.txt`, the whole target state, package by package in the order of paths.
package struct TargetCursor {
    private var lines: LineReader
    private var pending: (path: StorePath, digest: SHA512Digest)?
    private var previous: StorePath?

    package init(_ reader: FileReader) throws {
        lines = LineReader(reader, limit: 1024)
        pending = try readLine()
    }

    /// The next package with the digest of each of its files, or `nil` after the last.
    package mutating func next() throws -> (package: PackageName, files: [FileName: SHA512Digest])? {
        guard let first = pending else { return nil }
        var files: [FileName: SHA512Digest] = [:]
        while let line = pending, line.path.package == first.path.package {
            files[line.path.file] = line.digest
            pending = try readLine()
        }
        return (first.path.package, files)
    }

    private mutating func readLine() throws -> (path: StorePath, digest: SHA512Digest)? {
        guard let line = try lines.next() else { return nil }
        guard line.count > 130, let digest = SHA512Digest(hexDigits: line.prefix(128)), line.dropFirst(128).starts(with: "  ".utf8),
            let path = StorePath(String(decoding: line.dropFirst(130), as: UTF8.self))
        else {
            let text = String(decoding: line.prefix(300), as: UTF8.self)
            throw BundleError(.malformed, "\"snapshot.txt\"", "\"\(text)\" is not a line of it")
        }
        if let previous, !(previous < path) {
            throw BundleError(.malformed, "\"snapshot.txt\"", "\"\(path)\" is out of order or stands twice")
        }
        previous = path
        return (path, digest)
    }
}
