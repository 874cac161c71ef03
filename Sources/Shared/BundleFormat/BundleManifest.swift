import CanonicalJSON
package import Integrity
import PackageStore
package import Platform
package import Snapshots

/// A snapshot as a bundle names it: its label and its content.
package struct StateReference: Sendable, Hashable {
    /// `nil` for the empty baseline.
    package let snapshot: SnapshotID?
    package let root: SHA512Digest

    package init(snapshot: SnapshotID?, root: SHA512Digest) {
        self.snapshot = snapshot
        self.root = root
    }

    /// The state of an empty storage.
    package static let empty = StateReference(snapshot: nil, root: .ofNothing)

    var json: JSONValue {
        ["snapshot": snapshot.map { .string($0.text) } ?? .null, "stateRoot": .string(root.hex)]
    }

    init(_ object: consuming StrictObject) throws(DocumentError) {
        snapshot = try object.take("snapshot") { value -> SnapshotID?? in
            if value == .null { return .some(nil) }
            return value.string.flatMap { SnapshotID($0) }.map { .some($0) }
        }
        root = try object.take("stateRoot") { $0.string.flatMap { SHA512Digest(hex: $0) } }
        try object.finish()
    }
}

/// The first line of a bundle's `manifest.json` (FORMAT.md §5.1).
package struct BundleManifestHeader: Sendable, Hashable {
    package let origin: Identifier
    package let baseline: StateReference
    package let target: StateReference
    package let counts: BundleCounts

    static let document = "manifest"

    var firstLine: [UInt8] {
        let value: JSONValue = [
            "type": "ferry.manifest", "formatVersion": .integer(TransferFormat.version), "origin": .string(origin.text),
            "baseline": baseline.json,
            "target": target.json, "counts": counts.json,
        ]
        return value.canonicalBytes.dropLast() + Array(",\"files\":[\n".utf8)
    }

    package init(origin: Identifier, baseline: StateReference, target: StateReference, counts: BundleCounts) {
        self.origin = origin
        self.baseline = baseline
        self.target = target
        self.counts = counts
    }

    init(parsing line: some Collection<UInt8>) throws(DocumentError) {
        var object = try StrictObject(parsing: Array(line) + Array("]}".utf8), document: Self.document)
        try object.header(type: "ferry.manifest", version: TransferFormat.version)
        origin = try object.take("origin") { $0.string.flatMap { Identifier($0, .origin) } }
        baseline = try StateReference(object.object("baseline"))
        target = try StateReference(object.object("target"))
        counts = try BundleCounts(object.object("counts"))
        _ = try object.take("files", \.array)
        try object.finish()
    }
}

/// Reads a bundle's `manifest.json` line by line, in archive order, and refuses what FORMAT.md §5.1 does not allow.
package struct BundleManifestReader {
    package let header: BundleManifestHeader
    private var lines: LineReader
    private var previous: SnapshotFile?
    private var files = 0
    private var bytes: Int64 = 0
    private var removed = 0
    private var stage = Stage.files
    private static let lineLimit = 4096

    private enum Stage { case files, removed, over }

    /// Opens a manifest that lies in a file.
    package init(_ reader: FileReader) throws {
        lines = LineReader(reader, limit: Self.lineLimit)
        header = try BundleManifestHeader(parsing: lines.next() ?? [])
    }

    /// The next file, or `nil` after the last one: then the removed entries follow.
    package mutating func nextFile() throws -> SnapshotFile? {
        guard stage == .files else { return nil }
        guard let line = try nextLine(ending: "],\"removed\":[") else {
            guard files == header.counts.files, bytes == header.counts.bytes else {
                throw DocumentError(BundleManifestHeader.document, "its counts are not those of its files")
            }
            stage = .removed
            previous = nil
            return nil
        }
        let file = try SnapshotFile(parsing: line, document: BundleManifestHeader.document)
        if let previous {
            let isOrdered =
                previous.path.file.isPackument == file.path.file.isPackument
                ? previous.path < file.path : file.path.file.isPackument
            guard isOrdered else { throw DocumentError(BundleManifestHeader.document, "\"\(file.path)\" is out of order or stands twice") }
        }
        previous = file
        files += 1
        bytes += file.size
        guard files <= header.counts.files else { throw DocumentError(BundleManifestHeader.document, "it lists more files than it counts") }
        return file
    }

    /// The next removed entry, or `nil` after the last; to be called when `nextFile` has returned `nil`.
    package mutating func nextRemoved() throws -> (file: SnapshotFile, reason: RemovalReason)? {
        guard stage == .removed else { return nil }
        guard let line = try nextLine(ending: "]}") else {
            guard removed == header.counts.removed, try lines.next() == nil else {
                throw DocumentError(BundleManifestHeader.document, "its end is not where its counts say")
            }
            stage = .over
            return nil
        }
        let entry = try SnapshotFile.removal(parsing: line, document: BundleManifestHeader.document)
        if let previous, !(previous.path < entry.file.path) {
            throw DocumentError(BundleManifestHeader.document, "\"\(entry.file.path)\" is out of order or stands twice")
        }
        previous = entry.file
        removed += 1
        return entry
    }

    private mutating func nextLine(ending: String) throws -> [UInt8]? {
        guard var line = try lines.next() else { throw DocumentError(BundleManifestHeader.document, "it ends too early") }
        if line.elementsEqual(ending.utf8) { return nil }
        if line.last == UInt8(ascii: ",") { line.removeLast() }
        return Array(line)
    }
}
