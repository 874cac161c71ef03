import BundleFormat
import Glibc
package import Integrity
package import PackageStore
import Platform
package import Snapshots
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
    /// For a package, the target's digest of each of its files.
    private let target: (PackageName) throws -> [FileName: SHA512Digest]
    private let workers: WorkerPool<[StagedFile]>
    private var file: SnapshotFile?
    private var bytes: [UInt8] = []
    private var large: LargeFile?
    private var batch: [StagedFile] = []
    private var batchBytes = 0
    private var lastPackage: PackageName?

    /// Files up to this size are held until they are proven.
    private static let heldLimit: Int64 = 1 << 20
    private static let batchLimit = 4 << 20

    package init(
        stage: StageArea?, announce: @escaping (FilePath) throws -> Void = { _ in },
        target: @escaping (PackageName) throws -> [FileName: SHA512Digest]
    ) {
        self.stage = stage
        self.announce = announce
        self.target = target
        workers = WorkerPool(width: 2, window: 4) { try StagedFile.proveAndWrite($0, into: stage) }
    }

    package func begin(_ file: SnapshotFile) throws {
        self.file = file
        if let stage, file.path.package != lastPackage {
            let root = stage.root(for: file.path.package)
            if roots.insert(root).inserted { try prepare(root, for: stage) }
            lastPackage = file.path.package
        }
        if file.size > Self.heldLimit, !file.path.file.isPackument {
            large = try LargeFile(file, in: stage)
        } else {
            bytes.reserveCapacity(Int(file.size))
        }
    }

    package func write(_ piece: UnsafeRawBufferPointer) throws {
        if let large { try large.write(piece) } else { bytes.append(contentsOf: piece) }
    }

    package func end() throws {
        guard let file else { return }
        if let large {
            self.large = nil
            try large.finish(owner: stage)
            return
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
    }

    private func flush() throws {
        guard !batch.isEmpty else { return }
        try workers.push(batch)
        batch = []
        batchBytes = 0
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
private final class LargeFile {
    private let file: SnapshotFile
    private let hasher = SHA512Hasher()
    private let writer: FileWriter?

    init(_ file: SnapshotFile, in stage: StageArea?) throws {
        self.file = file
        writer = try stage?.createFile(file.path)
    }

    func write(_ piece: UnsafeRawBufferPointer) throws {
        hasher.update(piece)
        try writer?.write(piece)
    }

    func finish(owner stage: StageArea?) throws {
        guard hasher.finalize() == file.digest else { throw StagedFile.differing(file) }
        guard let writer, let stage else { return }
        try writer.close()
        try stage.own(writer.path, mode: 0o644)
    }
}
