import Archives
import CanonicalJSON
import Integrity
package import PackageStore
import Platform
package import Snapshots
package import SystemPackage

/// Reads a bundle once, from start to end, proving every byte before it is used (FORMAT.md §6.3, steps 6 and 7).
///
/// First `readLeading`, then `readFiles`. The reader believes the descriptor it was given: whether that may be believed is decided
/// before.
package final class BundleReader {
    /// Gets the files of a bundle.
    ///
    /// A file's bytes are proven only when `end` is called for it.
    package protocol Sink: AnyObject {
        /// A file of the manifest begins.
        func begin(_ file: SnapshotFile) throws
        /// More of its bytes.
        func write(_ bytes: UnsafeRawBufferPointer) throws
        /// All its bytes were handed over, as many as the manifest says.
        func end() throws
    }

    private let source: ArchiveSource
    private let tail: BundleTail
    private let work: FilePath
    private let stream: DecodedStream
    private let tar: TarReader
    /// The manifest as it stands before its first packument, and before what was removed.
    private var marks: (packuments: BundleManifestReader, removed: BundleManifestReader)?
    private static let windowLogMax: Int32 = 23
    private static let leadingLimits: [(name: String, limit: Int64)] = [
        ("manifest.json", 2 << 30), ("SHA512SUMS", 2 << 30), ("README.md", 256 << 10), ("snapshot.txt", 2 << 30),
    ]

    /// - Parameters:
    ///   - work: a directory for the leading documents.
    ///   - progress: told as chunks pass: bytes proven, bytes in all.
    package init(
        source: ArchiveSource, tail: BundleTail, work: FilePath, progress: @escaping (Int64, Int64) -> Void = { _, _ in }
    ) throws {
        self.source = source
        self.tail = tail
        self.work = work
        let stream = try DecodedStream(source: source, tail: tail, windowLogMax: Self.windowLogMax, progress: progress)
        self.stream = stream
        tar = try TarReader { try stream.next() }
    }

    /// Where `manifest.json` lies once the leading frame was read.
    package var manifestPath: FilePath { work.appending("manifest.json") }
    /// Where `snapshot.txt` lies once the leading frame was read.
    package var snapshotPath: FilePath { work.appending("snapshot.txt") }

    /// Reads the leading documents into `work` and proves the manifest and the target state.
    package func readLeading() throws -> BundleManifestHeader {
        let descriptor = tail.descriptor
        for (name, limit) in Self.leadingLimits {
            let entry = try nextEntry(expecting: name)
            guard entry.size <= limit else { throw BundleError(.tooLarge, "\"\(name)\"", "\(entry.size) bytes, more than \(limit)") }
            let writer = try FileWriter(creating: work.appending(name))
            let hasher = SHA512Hasher()
            try tar.readContent { piece in
                hasher.update(piece)
                try writer.write(piece)
            }
            try writer.close()
            let digest = hasher.finalize()
            if name == "manifest.json", digest != descriptor.manifestDigest {
                throw BundleError(.damaged, "\"manifest.json\"", "its digest is not the one that was signed")
            }
            if name == "snapshot.txt", digest != descriptor.targetRoot {
                throw BundleError(.damaged, "\"snapshot.txt\"", "it is not the target state that was signed")
            }
        }
        let header = try manifest().header
        guard header.origin == descriptor.origin, header.baseline.root == descriptor.baselineRoot,
            header.target.root == descriptor.targetRoot, header.counts == descriptor.counts
        else { throw BundleError(.malformed, "\"manifest.json\"", "it contradicts the descriptor") }
        return header
    }

    /// The tarballs that the baseline holds and upstream has withdrawn; to be called after `readLeading`.
    package func withdrawn() throws -> [StorePath] {
        var manifest = try removed()
        var paths: [StorePath] = []
        while let (file, reason) = try manifest.nextRemoved() {
            if reason == .withdrawn, !file.path.file.isPackument { paths.append(file.path) }
        }
        return paths
    }

    /// Opens the manifest; to be called after `readLeading`.
    package func manifest() throws -> BundleManifestReader {
        guard let reader = try FileReader(opening: manifestPath) else {
            throw FileSystemError("open", manifestPath, .noSuchFileOrDirectory)
        }
        return try BundleManifestReader(reader)
    }

    /// Opens the manifest where its packuments begin, which stand behind its tarballs; to be called after `readLeading`.
    package func packuments() throws -> BundleManifestReader { try marked().packuments }

    /// Opens the manifest where its files end and what was removed begins; to be called after `readLeading`.
    package func removed() throws -> BundleManifestReader { try marked().removed }

    /// Passes over the files once: they are many, and asked for more than once.
    private func marked() throws -> (packuments: BundleManifestReader, removed: BundleManifestReader) {
        if let marks { return marks }
        var manifest = try manifest()
        var packuments: BundleManifestReader?
        var before = manifest
        while let file = try manifest.nextFile() {
            if packuments == nil, file.path.file.isPackument { packuments = before }
            before = manifest
        }
        let found = (packuments: packuments ?? before, removed: manifest)
        marks = found
        return found
    }

    /// Reads all the files in the order of the manifest and hands them to `sink`; refuses whatever else is in the archive.
    ///
    /// When this returns, every chunk of the archive has passed.
    package func readFiles(into sink: any Sink) throws {
        var manifest = try manifest()
        while let file = try manifest.nextFile() {
            let entry = try nextEntry(expecting: "storage/\(file.path)")
            guard entry.size == file.size else {
                throw BundleError(.hostile, "\"\(file.path)\"", "it has \(entry.size) bytes, not the declared \(file.size)")
            }
            try sink.begin(file)
            try tar.readContent { try sink.write($0) }
            try sink.end()
        }
        while try manifest.nextRemoved() != nil {}
        if let entry = try tar.next() {
            let name = String(decoding: entry.path.prefix(300), as: UTF8.self)
            throw BundleError(.hostile, "\"\(name)\"", "the manifest does not declare it")
        }
        do { try tar.finish() } catch let error as ArchiveError { throw Self.translated(error) }
        try stream.finish()
    }

    private func nextEntry(expecting name: String) throws -> TarEntry {
        let found: TarEntry?
        do { found = try tar.next() } catch let error as ArchiveError { throw Self.translated(error) }
        guard let entry = found else { throw BundleError(.hostile, "\"\(name)\"", "it is declared but not in the archive") }
        guard entry.kind == .file else {
            let path = String(decoding: entry.path.prefix(300), as: UTF8.self)
            throw BundleError(.hostile, "\"\(path)\"", "a \(entry.kind.words), where only regular files are allowed")
        }
        guard entry.path.elementsEqual(name.utf8) else {
            let path = String(decoding: entry.path.prefix(300), as: UTF8.self)
            throw BundleError(.hostile, "\"\(path)\"", "undeclared, or out of order; \"\(name)\" should stand here")
        }
        return entry
    }

    private static func translated(_ error: ArchiveError) -> BundleError {
        BundleError(error.code == .refused ? .hostile : .damaged, "the archive", error.description)
    }
}

extension TarEntry.Kind {
    /// The kind in words, for messages.
    fileprivate var words: String {
        switch self {
        case .file: "regular file"
        case .directory: "directory"
        case .symbolicLink: "symbolic link"
        case .hardLink: "hard link"
        case .characterDevice, .blockDevice: "device"
        case .pipe: "pipe"
        case .socket: "socket"
        case .sparseFile: "sparse file"
        case .other: "special file"
        }
    }
}
