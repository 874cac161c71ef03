import BundleFormat
import Glibc
package import Integrity
package import PackageStore
import Platform
package import Snapshots
import Synchronization
package import SystemPackage

/// Takes the files of a bundle, proves each against its manifest line, and writes them into the stage; without a stage it only proves.
///
/// Files are proven and written on threads of its own, small ones several at a time: a file is staged when `finish` has returned, and an
/// error may come with a later file than the one it is about.
package final class StagingSink: BundleReader.Sink {
    /// The physical storages that hold a stage now.
    package private(set) var roots: Set<FilePath> = []
    private let stage: StageArea?
    /// Told of a stage before it is made.
    private let announce: (FilePath) throws -> Void
    /// Asked before each file, and with each piece of one; what it throws ends the work.
    private let goOn: () throws -> Void
    /// For a package, the target's digest of each of its files.
    private let target: (PackageName) throws -> [FileName: SHA512Digest]
    private let workers: WorkerPool<[StagedFile]>
    /// One thread, so that a file's pieces come in their order.
    private let largeWorker = WorkerPool<LargePiece>(width: 1, window: 3) { try $0.file.take($0) }
    /// Hands what was staged to the disk while more is unpacked, so that the sync at the end waits less; that one reports what fails.
    private let syncer = WorkerPool<FilePath>(width: 1, window: 1) { try? DiskFileSystem().syncFileSystem(holding: $0) }
    private var unsynced = 0
    private var file: SnapshotFile?
    private var bytes: [UInt8] = []
    private var large: LargeFile?
    private var batch: [StagedFile] = []
    private var batchBytes = 0
    private var lastPackage: PackageName?

    /// Files up to this size are held until they are proven.
    private static let heldLimit: Int64 = 1 << 20
    private static let batchLimit = 2 << 20
    private static let pieceSize = 1 << 20
    /// Bytes between two syncs on the way.
    private static let syncDistance = 48 << 20

    package init(
        stage: StageArea?, announce: @escaping (FilePath) throws -> Void = { _ in }, goOn: @escaping () throws -> Void = {},
        target: @escaping (PackageName) throws -> [FileName: SHA512Digest]
    ) {
        self.stage = stage
        self.announce = announce
        self.goOn = goOn
        self.target = target
        workers = WorkerPool(width: 2, window: 4) { try StagedFile.proveAndWrite($0, into: stage) }
    }

    package func begin(_ file: SnapshotFile) throws {
        try goOn()
        self.file = file
        if let stage, file.path.package != lastPackage {
            let root = stage.root(for: file.path.package)
            if roots.insert(root).inserted { try prepare(root, for: stage) }
            lastPackage = file.path.package
        }
        if file.size > Self.heldLimit, !file.path.file.isPackument {
            large = try LargeFile(file, in: stage)
            bytes.reserveCapacity(Self.pieceSize)
        } else {
            bytes.reserveCapacity(Int(file.size))
        }
    }

    package func write(_ piece: UnsafeRawBufferPointer) throws {
        try goOn()
        bytes.append(contentsOf: piece)
        if let large, bytes.count >= Self.pieceSize { try pass(to: large, isLast: false) }
    }

    package func end() throws {
        guard let file else { return }
        if let large {
            self.large = nil
            return try pass(to: large, isLast: true)
        }
        let held = file.path.file.isPackument ? try target(file.path.package) : [:]
        batch.append(StagedFile(file: file, bytes: bytes, target: held))
        batchBytes += bytes.count
        bytes = []
        if batchBytes >= Self.batchLimit || batch.count >= 256 { try flush() }
    }

    /// Waits until every file is proven and written.
    package func finish() throws {
        try flush()
        try workers.finish()
        try largeWorker.finish()
    }

    private func flush() throws {
        guard !batch.isEmpty else { return }
        try workers.push(batch)
        try noteStaged(batchBytes)
        batch = []
        batchBytes = 0
    }

    private func pass(to large: LargeFile, isLast: Bool) throws {
        let count = bytes.count
        try largeWorker.push(LargePiece(file: large, bytes: bytes, isLast: isLast))
        bytes = []
        if !isLast { bytes.reserveCapacity(Self.pieceSize) }
        try noteStaged(count)
    }

    private func noteStaged(_ count: Int) throws {
        unsynced += count
        guard unsynced >= Self.syncDistance, stage != nil else { return }
        for root in roots where try syncer.offer(root) { unsynced = 0 }
    }

    /// Makes the stage on a physical storage, in place of what killed imports left there.
    private func prepare(_ root: FilePath, for stage: StageArea) throws {
        let files = DiskFileSystem()
        let storage = root.removingLastComponent()
        try StageArea.removeLeftovers(in: storage, files: files)
        try announce(root)
        var missing: [FilePath] = []
        var path = storage
        while try files.status(of: path) == nil {
            missing.append(path)
            path.removeLastComponent()
        }
        for directory in missing.reversed() { try stage.create(directory) }
        try stage.create(root)
    }
}

/// A file whose bytes are all here.
private struct StagedFile: Sendable {
    let file: SnapshotFile
    let bytes: [UInt8]
    /// Of a packument: the target's digest of each file of its package.
    let target: [FileName: SHA512Digest]

    /// Proves files, and writes each where there is a stage.
    static func proveAndWrite(_ files: [StagedFile], into stage: StageArea?) throws {
        let digests = SHA512.digests(of: files.map(\.bytes))
        for (staged, digest) in zip(files, digests) {
            guard digest == staged.file.digest else { throw differing(staged.file) }
            if staged.file.path.file.isPackument { try staged.checkPackument() }
            guard let stage else { continue }
            let writer = try stage.createFile(staged.file.path)
            try writer.write(staged.bytes)
            try writer.close()
            try stage.own(writer.path, mode: 0o644)
        }
    }

    static func differing(_ file: SnapshotFile) -> BundleError {
        BundleError(.damaged, "\"\(file.path)\"", "its digest is not the one the manifest declares")
    }

    /// FORMAT.md §10: a packument is a transfer form of its package and names just the tarballs the target holds.
    private func checkPackument() throws {
        let form = try TransferForm(parsing: bytes, of: file.path.package)
        let subject = "\"\(file.path)\""
        var unnamed = Set(target.keys).subtracting([.packument])
        for version in form.carried {
            unnamed.remove(version.file)
            guard let digest = target[version.file] else {
                throw BundleError(.malformed, subject, "it names \"\(version.file)\", which the target does not hold")
            }
            guard version.matches(TarballProof(sha512: digest, sha1: nil, size: 0)) != false else {
                throw BundleError(.malformed, subject, "it declares other bytes for \"\(version.file)\" than the target holds")
            }
        }
        if let file = unnamed.min() {
            throw BundleError(.malformed, subject, "it does not name \"\(file)\", which the target holds")
        }
    }
}

/// A file too large to be held, written and digested as its bytes come.
private final class LargeFile: Sendable {
    private let file: SnapshotFile
    private let stage: StageArea?
    private let parts: Mutex<(hasher: SHA512Hasher, writer: FileWriter?)>

    init(_ file: SnapshotFile, in stage: StageArea?) throws {
        self.file = file
        self.stage = stage
        parts = Mutex((SHA512Hasher(), try stage?.createFile(file.path)))
    }

    /// Takes the next piece; with the last one the file is proven.
    func take(_ piece: LargePiece) throws {
        try parts.withLock { parts in
            parts.hasher.update(piece.bytes)
            try parts.writer?.write(piece.bytes)
            parts.writer?.startWriteback()
            guard piece.isLast else { return }
            guard parts.hasher.finalize() == file.digest else { throw StagedFile.differing(file) }
            guard let writer = parts.writer, let stage else { return }
            try writer.close()
            try stage.own(writer.path, mode: 0o644)
        }
    }
}

/// The next bytes of a large file.
private struct LargePiece: Sendable {
    let file: LargeFile
    let bytes: [UInt8]
    let isLast: Bool
}
