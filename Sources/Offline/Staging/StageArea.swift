import Glibc
package import PackageStore
package import Platform
package import Snapshots
package import SystemPackage

/// Where a bundle is unpacked: a hidden directory on each physical storage's own file system, never among the packages.
package struct StageArea: Sendable {
    /// Owner and group that every file gets: those of the storage root.
    package let owner: UInt32
    package let group: UInt32
    private let layout: StorageLayout
    private let name: String
    private static let prefix = ".ferry-stage-"

    /// - Throws: `FileSystemError` where the storage cannot be looked at.
    package init(layout: StorageLayout, bundle: Identifier) throws(FileSystemError) {
        self.layout = layout
        name = Self.prefix + bundle.text
        guard let status = try DiskFileSystem().status(of: layout.root) else {
            throw FileSystemError.storage(layout.root, .noSuchFileOrDirectory)
        }
        owner = status.owner
        group = status.group
    }

    /// Where the files of a package are staged.
    package func directory(of package: PackageName) -> FilePath {
        root(for: package).appending(package.text)
    }

    /// The stage on the physical storage a package belongs to.
    package func root(for package: PackageName) -> FilePath {
        root(in: layout.storageRoot(of: package))
    }

    /// The stage on a physical storage.
    package func root(in storage: FilePath) -> FilePath { storage.appending(name) }

    /// Creates a file of a package, and first its directories where they are missing.
    package func createFile(_ path: StorePath) throws(FileSystemError) -> FileWriter {
        let directory = directory(of: path.package)
        let file = directory.appending(path.file.text)
        do throws(FileSystemError) {
            return try FileWriter(creating: file, exclusively: true)
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
        }
        if path.package.scope != nil { try create(directory.removingLastComponent()) }
        try create(directory)
        return try FileWriter(creating: file, exclusively: true)
    }

    /// Creates a directory for the storage's owner, unless it is there.
    package func create(_ directory: FilePath) throws(FileSystemError) {
        if try DiskFileSystem().createDirectory(directory) { try own(directory, mode: 0o755) }
    }

    /// Gives what was made to the storage's owner, where that is somebody else.
    package func own(_ path: FilePath, mode: UInt32, files: any FileSystem = DiskFileSystem()) throws(FileSystemError) {
        if owner != geteuid() || group != getegid() { try files.setAttributes(of: path, owner: owner, group: group, mode: mode) }
    }

    /// Removes every stage an earlier import left in a physical storage.
    package static func removeLeftovers(in root: FilePath, files: any FileSystem) throws(FileSystemError) {
        for name in try files.names(in: root) ?? [] where name.hasPrefix(prefix) {
            try files.removeTree(root.appending(name))
        }
    }

    /// Whether a path is that of a stage.
    package static func isStage(_ path: FilePath) -> Bool { path.name.hasPrefix(prefix) }
}
