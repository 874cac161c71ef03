import Integrity
import PackageStore
import Platform
import Snapshots
import SystemPackage

/// The four documents that lead an archive, made as files beside it (FORMAT.md §5).
struct LeadingTexts {
    static let manifestName = "manifest.json"
    static let snapshotName = "snapshot.txt"
    /// Their names in the order of the archive.
    static let names = [manifestName, "SHA512SUMS", "README.md", snapshotName]

    let header: BundleManifestHeader
    let manifestDigest: SHA512Digest
    private let work: FilePath

    /// Compares the snapshots and writes the documents below `work`.
    ///
    /// - Parameters:
    ///   - lacking: what of the baseline is carried all the same.
    ///   - withheld: what the target does not hold, and yet has not left the storage.
    ///   - withdrawn: what the target does not hold since upstream has withdrawn it.
    /// - Throws: `BundleError.Code.tooLarge` for a bundle that no reader would take.
    init(
        baseline: SnapshotReader?, target: SnapshotReader, lacking: LackingFiles, withheld: Set<StorePath>, withdrawn: Set<StorePath>,
        limits: BundleLimits,
        work: FilePath
    ) throws {
        self.work = work
        let tarballs = try LineSpool(work.appending("tarballs"))
        let packuments = try LineSpool(work.appending("packuments"))
        let removed = try LineSpool(work.appending("removed"))
        let sums = try LineSpool(work.appending("sums"))
        let packumentSums = try LineSpool(work.appending("packument-sums"))
        var counts = BundleCounts(files: 0, bytes: 0, packages: 0, removed: 0)
        var package: String?
        try forEachChange(from: baseline, to: target, lacking: lacking) { change in
            guard let file = change.target else {
                if case .removed(let file) = change, !withheld.contains(file.path) {
                    try limits.check(removed.count + 1, "removed files")
                    let reason = withdrawn.contains(file.path) ? RemovalReason.withdrawn : .absent
                    try removed.add { file.appendManifestLine(to: &$0, reason: reason) }
                }
                return
            }
            let isPackument = file.path.file.isPackument
            try (isPackument ? packuments : tarballs).add { file.appendManifestLine(to: &$0) }
            try (isPackument ? packumentSums : sums).writer.write(Self.sumLine(file))
            counts.files += 1
            counts.bytes += file.size
            try limits.check(counts.files, "files")
            if package != file.path.package.text { counts.packages += 1 }
            package = file.path.package.text
        }
        counts.removed = removed.count
        header = BundleManifestHeader(
            origin: target.header.origin,
            baseline: baseline.map { StateReference(snapshot: $0.header.id, root: $0.header.stateRoot) } ?? .empty,
            target: StateReference(snapshot: target.header.id, root: target.header.stateRoot), counts: counts)

        let manifest = try DigestingWriter(work.appending(Self.manifestName), limits)
        try manifest.write(header.firstLine)
        try manifest.append(tarballs)
        if tarballs.count > 0, packuments.count > 0 { try manifest.write(Array(",\n".utf8)) }
        try manifest.append(packuments)
        try manifest.write(Array("\(counts.files > 0 ? "\n" : "")],\"removed\":[\n".utf8))
        try manifest.append(removed)
        try manifest.write(Array("\(counts.removed > 0 ? "\n" : "")]}\n".utf8))
        manifestDigest = try manifest.finish()

        let snapshot = try DigestingWriter(work.appending(Self.snapshotName), limits)
        var reader = target
        while let file = try reader.next() {
            var line: [UInt8] = []
            file.appendSumLine(to: &line)
            try snapshot.write(line)
        }
        let root = try snapshot.finish()
        guard root == target.header.stateRoot else {
            throw BundleError(.damaged, "snapshot \(target.header.id)", "its files do not give its state root")
        }
        let readme = try DigestingWriter(work.appending("README.md"), limits)
        try readme.write(Array(ArchiveReadme.text.utf8))
        let readmeDigest = try readme.finish()

        let list = try DigestingWriter(work.appending("SHA512SUMS"), limits)
        for (digest, name) in [(manifestDigest, Self.manifestName), (readmeDigest, "README.md"), (root, Self.snapshotName)] {
            try list.write(Array("\(digest)  \(name)\n".utf8))
        }
        try list.append(sums)
        try list.append(packumentSums)
        _ = try list.finish()
    }

    /// Opens one of the documents.
    func open(_ name: String) throws -> FileReader {
        let path = work.appending(name)
        guard let reader = try FileReader(opening: path) else { throw FileSystemError("open", path, .noSuchFileOrDirectory) }
        return reader
    }

    /// Bytes of all of them.
    func length() throws -> Int64 {
        try Self.names.reduce(0) { try $0 + open($1).status().identity.size }
    }

    private static func sumLine(_ file: SnapshotFile) -> [UInt8] {
        var line: [UInt8] = []
        file.appendSumLine(to: &line, prefix: "storage/")
        return line
    }
}

/// Lines gathered in a file of their own until their place is known.
private final class LineSpool {
    let writer: FileWriter
    private(set) var count = 0

    init(_ path: FilePath) throws(FileSystemError) {
        writer = try FileWriter(creating: path)
    }

    /// Adds a line, with the comma and line break that part it from the one before.
    func add(_ append: (inout [UInt8]) -> Void) throws(FileSystemError) {
        var line: [UInt8] = count == 0 ? [] : Array(",\n".utf8)
        append(&line)
        try writer.write(line)
        count += 1
    }
}

/// Writes a document and digests it on the way; one that grows too long is refused.
private final class DigestingWriter {
    private let writer: FileWriter
    private let limits: BundleLimits
    private let hasher = SHA512Hasher()

    init(_ path: FilePath, _ limits: BundleLimits) throws(FileSystemError) {
        writer = try FileWriter(creating: path)
        self.limits = limits
    }

    func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try write($0) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws {
        hasher.update(bytes)
        try writer.write(bytes)
        try limits.check(length: writer.count, of: writer.path)
    }

    func append(_ spool: LineSpool) throws {
        try spool.writer.flush()
        guard let reader = try FileReader(opening: spool.writer.path) else { return }
        try forEachPiece(of: reader) { try write($0) }
    }

    func finish() throws(FileSystemError) -> SHA512Digest {
        try writer.close()
        return hasher.finalize()
    }
}
