import CanonicalJSON
package import Integrity
import PackageStore
package import Platform
package import SystemPackage

/// What a snapshot's manifest says of the whole (FORMAT.md §4).
package struct SnapshotHeader: Sendable, Hashable {
    package let id: SnapshotID
    /// The order of snapshots.
    package let counter: Int64
    package let origin: Identifier
    /// When the scan began.
    package let created: Timestamp
    /// Whether the storage held still while it was read.
    package let isSettled: Bool
    package let stateRoot: SHA512Digest
    package let counts: ContentCounts
    package let findings: Int

    package init(
        id: SnapshotID, counter: Int64, origin: Identifier, created: Timestamp, isSettled: Bool, stateRoot: SHA512Digest,
        counts: ContentCounts, findings: Int
    ) {
        self.id = id
        self.counter = counter
        self.origin = origin
        self.created = created
        self.isSettled = isSettled
        self.stateRoot = stateRoot
        self.counts = counts
        self.findings = findings
    }

    static let document = "snapshot manifest"
    /// Bytes kept for the first line, which is written last.
    static let reserved = 1024

    func firstLine() -> [UInt8] {
        let value: JSONValue = [
            "type": "ferry.snapshot", "formatVersion": .integer(TransferFormat.version), "snapshot": .string(id.text),
            "counter": .integer(counter),
            "origin": .string(origin.text), "created": .string(created.description), "settled": .bool(isSettled),
            "stateRoot": .string(stateRoot.hex),
            "counts": [
                "packages": .integer(counts.packages), "files": .integer(counts.files), "bytes": .integer(counts.bytes),
                "findings": .integer(findings),
            ],
        ]
        let opening = value.canonicalBytes.dropLast() + Array(",".utf8)
        let closing = Array("\"files\":[".utf8)
        return opening + [UInt8](repeating: 0x20, count: Self.reserved - opening.count - closing.count - 1) + closing + [0x0A]
    }

    init(parsing line: some Collection<UInt8>) throws(DocumentError) {
        var object = try StrictObject(parsing: Array(line) + Array("]}".utf8), document: Self.document)
        try object.header(type: "ferry.snapshot", version: TransferFormat.version)
        id = try object.take("snapshot") { $0.string.flatMap { SnapshotID($0) } }
        counter = try object.integer("counter", in: 1...9_007_199_254_740_991)
        origin = try object.take("origin") { $0.string.flatMap { Identifier($0, .origin) } }
        created = try object.take("created") { $0.string.flatMap { Timestamp($0) } }
        isSettled = try object.take("settled", \.bool)
        stateRoot = try object.take("stateRoot") { $0.string.flatMap { SHA512Digest(hex: $0) } }
        var counted = try object.object("counts")
        var counts = ContentCounts()
        counts.packages = Int(try counted.integer("packages"))
        counts.files = Int(try counted.integer("files"))
        counts.bytes = try counted.integer("bytes")
        findings = Int(try counted.integer("findings"))
        try counted.finish()
        self.counts = counts
        _ = try object.take("files", \.array)
        try object.finish()
    }
}

/// Reads a snapshot's manifest file by file, sorted by path, in constant memory.
package struct SnapshotReader {
    /// What the first line says.
    package let header: SnapshotHeader
    private var lines: LineReader
    private var previous: StorePath?
    private var isOver = false
    private static let lineLimit = 4096

    /// Opens a manifest; `nil` where there is none.
    package init?(opening path: FilePath) throws {
        guard let reader = try FileReader(opening: path) else { return nil }
        lines = LineReader(reader, limit: Self.lineLimit)
        header = try SnapshotHeader(parsing: lines.next() ?? [])
    }

    /// The next file, or `nil` after the last.
    package mutating func next() throws -> SnapshotFile? { try next { _ in true } }

    /// The next packument, or `nil` after the last; the tarballs before it are passed over unread.
    package mutating func nextPackument() throws -> SnapshotFile? {
        try next { !$0.starts(with: Self.tarballOpening) }
    }

    private static let tarballOpening = Array("{\"kind\":\"tarball\",".utf8)

    private mutating func next(_ isWanted: (ArraySlice<UInt8>) -> Bool) throws -> SnapshotFile? {
        guard !isOver else { return nil }
        var line: ArraySlice<UInt8>
        repeat {
            guard let next = try lines.next() else { throw DocumentError(SnapshotHeader.document, "it ends too early") }
            line = next
        } while !isWanted(line)
        if line.elementsEqual("]}".utf8) {
            isOver = true
            return nil
        }
        if line.last == UInt8(ascii: ",") { line.removeLast() }
        let file = try SnapshotFile(parsing: Array(line), document: SnapshotHeader.document)
        if let previous, !(previous < file.path) { throw DocumentError(SnapshotHeader.document, "\"\(file.path)\" is out of order") }
        previous = file.path
        return file
    }
}

/// What a package is in a snapshot's manifest, and in its state root.
struct ManifestLines: Sendable {
    /// Lines of the manifest, parted by commas.
    private(set) var manifest: [UInt8] = []
    /// Lines of the state root.
    private(set) var sums: [UInt8] = []
    private(set) var counts = ContentCounts()

    /// - Parameter files: those of the package, sorted by path; none where it is not in the snapshot.
    init(of files: [SnapshotFile]) {
        guard !files.isEmpty else { return }
        counts.packages = 1
        for file in files {
            if counts.files > 0 { manifest.append(contentsOf: ",\n".utf8) }
            file.appendManifestLine(to: &manifest)
            file.appendSumLine(to: &sums)
            counts.add(file)
        }
    }
}

/// Writes a snapshot's manifest in one pass; the first line, which needs the totals, last.
final class SnapshotManifestWriter {
    let writer: FileWriter
    private(set) var counts = ContentCounts()
    private let root = SHA512Hasher()

    init(creating path: FilePath) throws(FileSystemError) {
        writer = try FileWriter(creating: path)
        try writer.write([UInt8](repeating: 0x20, count: SnapshotHeader.reserved))
    }

    func add(_ package: ManifestLines) throws(FileSystemError) {
        guard package.counts.files > 0 else { return }
        if counts.files > 0 { try writer.write(Array(",\n".utf8)) }
        try writer.write(package.manifest)
        root.update(package.sums)
        counts.packages += package.counts.packages
        counts.files += package.counts.files
        counts.bytes += package.counts.bytes
    }

    /// Ends the list; the header is written by `commit`.
    func finish() throws -> (writer: FileWriter, counts: ContentCounts, stateRoot: SHA512Digest) {
        try writer.write(Array((counts.files > 0 ? "\n]}\n" : "]}\n").utf8))
        return (writer, counts, root.finalize())
    }
}
