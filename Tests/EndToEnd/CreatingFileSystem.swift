import Platform
import SystemPackage

/// The machine's file system beside a registry that is creating each package that comes, and had looked just before it came.
///
/// Verdaccio opens the packument to create it, finds no directory, and then puts its own in place, whatever stands there by now.
struct CreatingFileSystem: FileSystem {
    private let disk = DiskFileSystem()

    func renameWithoutReplacing(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool {
        guard try disk.renameWithoutReplacing(path, to: newPath) else { return false }
        let packument = newPath.appending("package.json")
        if let name = newPath.lastComponent?.string, try disk.status(of: packument) != nil {
            let empty = #"{"name":"\#(name)","versions":{},"dist-tags":{},"_attachments":{},"_distfiles":{}}"#
            try disk.write(Array(empty.utf8), to: packument)
        }
        return true
    }

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
    func link(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool { try disk.link(path, to: newPath) }
    func remove(_ path: FilePath) throws(FileSystemError) -> Bool { try disk.remove(path) }
    func setAttributes(of path: FilePath, owner: UInt32, group: UInt32, mode: UInt32) throws(FileSystemError) {
        try disk.setAttributes(of: path, owner: owner, group: group, mode: mode)
    }
}
