import Integrity
import PackageStore
import Platform
import Snapshots
import Synchronization
import SystemPackage

/// Where the files of a bundle come from: tarballs from the storage, packuments from the snapshot's transfer forms.
struct FileSources: Sendable {
    let layout: StorageLayout
    let store: SnapshotStore

    /// A file that is about to be packed.
    struct Content: Sendable {
        let file: SnapshotFile
        /// The proven bytes; `nil` for a file too large to be held, which is proven while it is packed.
        let bytes: [UInt8]?
    }

    private static let heldLimit: Int64 = 8 << 20
    private static let pieceSize = 1 << 20

    /// Reads and proves files.
    ///
    /// - Throws: `BundleError.Code.sourceChanged` for the first that is not what the snapshot says.
    func read(_ files: [SnapshotFile]) throws -> [Content] {
        var contents: [[UInt8]] = []
        for file in files {
            contents.append(file.size <= Self.heldLimit ? try open(file).read(Int(file.size) + 1, at: 0) : [])
        }
        let digests = SHA512.digests(of: contents)
        return try files.indices.map { index in
            let file = files[index]
            guard file.size <= Self.heldLimit else { return Content(file: file, bytes: nil) }
            guard digests[index] == file.digest else { throw changed(file, "its bytes are not those of the snapshot") }
            return Content(file: file, bytes: contents[index])
        }
    }

    /// Hands over the bytes of a file, proving it on the way where that is still to be done.
    func forEachPiece(of content: Content, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        if let bytes = content.bytes { return try bytes.withUnsafeBytes { try body($0) } }
        let reader = try open(content.file)
        let hasher = Mutex(SHA512Hasher())
        // It is digested on a thread of its own while the caller packs it.
        let worker = WorkerPool<[UInt8]>(width: 1, window: 2) { piece in hasher.withLock { $0.update(piece) } }
        var size: Int64 = 0
        while case let piece = try reader.read(Self.pieceSize, at: size), !piece.isEmpty {
            size += Int64(piece.count)
            guard size <= content.file.size else { throw changed(content.file, "it has grown") }
            try worker.push(piece)
            try piece.withUnsafeBytes { try body($0) }
        }
        try worker.finish()
        guard hasher.withLock({ $0.finalize() }) == content.file.digest else {
            throw changed(content.file, "its bytes are not those of the snapshot")
        }
    }

    private func open(_ file: SnapshotFile) throws -> FileReader {
        let path =
            file.path.file.isPackument
            ? store.object(file.digest) : layout.directory(of: file.path.package).appending(file.path.file.text)
        let reader: FileReader?
        do throws(FileSystemError) { reader = try FileReader(opening: path) } catch { throw changed(file, error.description) }
        guard let reader else { throw changed(file, "it is gone") }
        return reader
    }

    private func changed(_ file: SnapshotFile, _ reason: String) -> BundleError {
        BundleError(.sourceChanged, "\"\(file.path)\"", "\(reason); take a new snapshot")
    }
}
