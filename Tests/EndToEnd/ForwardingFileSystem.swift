import Platform
import SystemPackage

/// The machine's file system, but for what a conforming type does otherwise.
protocol ForwardingFileSystem: FileSystem {}

extension ForwardingFileSystem {
    var disk: DiskFileSystem { DiskFileSystem() }

    func status(of path: FilePath) throws(FileSystemError) -> FileStatus? { try disk.status(of: path) }
    func contents(of path: FilePath, limit: Int) throws(FileSystemError) -> [UInt8]? { try disk.contents(of: path, limit: limit) }
    func names(in directory: FilePath) throws(FileSystemError) -> [String]? { try disk.names(in: directory) }
    func createDirectory(_ path: FilePath) throws(FileSystemError) -> Bool { try disk.createDirectory(path) }
    func createExclusively(_ path: FilePath) throws(FileSystemError) -> FileIdentity? { try disk.createExclusively(path) }
    func write(_ bytes: [UInt8], to path: FilePath) throws(FileSystemError) { try disk.write(bytes, to: path) }
    func append(_ bytes: UnsafeRawBufferPointer, to path: FilePath) throws(FileSystemError) { try disk.append(bytes, to: path) }
    func truncate(_ path: FilePath, to size: Int64) throws(FileSystemError) { try disk.truncate(path, to: size) }
    func sync(_ path: FilePath) throws(FileSystemError) { try disk.sync(path) }
    func syncDirectory(_ path: FilePath) throws(FileSystemError) { try disk.syncDirectory(path) }
    func syncFileSystem(holding path: FilePath) throws(FileSystemError) { try disk.syncFileSystem(holding: path) }
    func rename(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) { try disk.rename(path, to: newPath) }
    func renameWithoutReplacing(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool {
        try disk.renameWithoutReplacing(path, to: newPath)
    }
    func link(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool { try disk.link(path, to: newPath) }
    func remove(_ path: FilePath) throws(FileSystemError) -> Bool { try disk.remove(path) }
    func setAttributes(of path: FilePath, owner: UInt32, group: UInt32, mode: UInt32) throws(FileSystemError) {
        try disk.setAttributes(of: path, owner: owner, group: group, mode: mode)
    }
}
