import BundleFormat
import Glibc
package import Integrity
package import PackageStore
import Platform
package import Snapshots
package import SystemPackage

/// Takes the files of a bundle, proves each against its manifest line, and writes them into the stage; without a stage it only proves.
package final class StagingSink: BundleReader.Sink {
    /// The physical storages that hold a stage now.
    package private(set) var roots: Set<FilePath> = []
    private let stage: StageArea?
    /// Told of a stage before it is made.
    private let announce: (FilePath) throws -> Void
    /// For a package, the target's digest of each of its files.
    private let target: (PackageName) throws -> [FileName: SHA512Digest]
    private var file: SnapshotFile?
    private var hasher = SHA512Hasher()
    private var writer: FileWriter?
    private var packument: [UInt8] = []
    private var lastDirectory: FilePath?

    package init(
        stage: StageArea?, announce: @escaping (FilePath) throws -> Void = { _ in },
        target: @escaping (PackageName) throws -> [FileName: SHA512Digest]
    ) {
        self.stage = stage
        self.announce = announce
        self.target = target
    }

    package func begin(_ file: SnapshotFile) throws {
        self.file = file
        hasher = SHA512Hasher()
        packument.removeAll(keepingCapacity: true)
        guard let stage else { return }
        let directory = stage.directory(of: file.path.package)
        if directory != lastDirectory {
            let root = stage.root(for: file.path.package)
            if roots.insert(root).inserted { try prepare(root, for: stage) }
            if let scope = file.path.package.scope { try create(root.appending(String(scope)), for: stage) }
            try create(directory, for: stage)
            lastDirectory = directory
        }
        writer = try FileWriter(creating: directory.appending(file.path.file.text), exclusively: true)
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        hasher.update(bytes)
        if file?.path.file.isPackument == true { packument.append(contentsOf: bytes) }
        try writer?.write(bytes)
    }

    package func end() throws {
        guard let file else { return }
        guard hasher.finalize() == file.digest else {
            throw BundleError(.damaged, "\"\(file.path)\"", "its digest is not the one the manifest declares")
        }
        if file.path.file.isPackument { try checkPackument(file) }
        guard let writer, let stage else { return }
        try writer.close()
        self.writer = nil
        try setOwner(of: writer.path, mode: 0o644, stage)
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
        for directory in missing.reversed() { try create(directory, for: stage) }
        try create(root, for: stage)
    }

    private func create(_ directory: FilePath, for stage: StageArea) throws {
        if try DiskFileSystem().createDirectory(directory) { try setOwner(of: directory, mode: 0o755, stage) }
    }

    private func setOwner(of path: FilePath, mode: UInt32, _ stage: StageArea) throws {
        if stage.owner != geteuid() || stage.group != getegid() {
            try DiskFileSystem().setAttributes(of: path, owner: stage.owner, group: stage.group, mode: mode)
        }
    }

    /// FORMAT.md §10: a packument is a transfer form of its package and names no tarball the target does not hold.
    private func checkPackument(_ file: SnapshotFile) throws {
        let form = try TransferForm(parsing: packument, of: file.path.package)
        let held = try target(file.path.package)
        for version in form.carried {
            let subject = "\"\(file.path)\""
            guard let digest = held[version.file] else {
                throw BundleError(.malformed, subject, "it names \"\(version.file)\", which the target does not hold")
            }
            guard version.matches(TarballProof(sha512: digest, sha1: nil, size: 0)) != false else {
                throw BundleError(.malformed, subject, "it declares other bytes for \"\(version.file)\" than the target holds")
            }
        }
    }
}
