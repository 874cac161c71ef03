import Platform
import Synchronization
import SystemPackage

/// The machine's file system until its n-th change, from which on every change fails: what a killed process leaves behind.
///
/// Where the failure does not last, only that change fails, and the process goes on to clear up.
final class CrashingFileSystem: FileSystem {
    private let disk = DiskFileSystem()
    private let stepsLeft: Mutex<Int>
    private let isLasting: Bool

    init(stepsUntilCrash: Int, isLasting: Bool = true) {
        stepsLeft = Mutex(stepsUntilCrash)
        self.isLasting = isLasting
    }

    private func step(_ path: FilePath) throws(FileSystemError) {
        let isOver = stepsLeft.withLock { steps in
            steps -= 1
            return isLasting ? steps < 0 : steps == -1
        }
        if isOver { throw FileSystemError("go on after the crash at", path, .ioError) }
    }

    func status(of path: FilePath) throws(FileSystemError) -> FileStatus? { try disk.status(of: path) }
    func contents(of path: FilePath, limit: Int) throws(FileSystemError) -> [UInt8]? { try disk.contents(of: path, limit: limit) }
    func names(in directory: FilePath) throws(FileSystemError) -> [String]? { try disk.names(in: directory) }
    func createDirectory(_ path: FilePath) throws(FileSystemError) -> Bool {
        try step(path)
        return try disk.createDirectory(path)
    }
    func createExclusively(_ path: FilePath) throws(FileSystemError) -> FileIdentity? {
        try step(path)
        return try disk.createExclusively(path)
    }
    func write(_ bytes: [UInt8], to path: FilePath) throws(FileSystemError) {
        try step(path)
        try disk.write(bytes, to: path)
    }
    func sync(_ path: FilePath) throws(FileSystemError) { try disk.sync(path) }
    func syncDirectory(_ path: FilePath) throws(FileSystemError) { try disk.syncDirectory(path) }
    func syncFileSystem(holding path: FilePath) throws(FileSystemError) {}
    func rename(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) {
        try step(path)
        try disk.rename(path, to: newPath)
    }
    func renameWithoutReplacing(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool {
        try step(path)
        return try disk.renameWithoutReplacing(path, to: newPath)
    }
    func link(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool {
        try step(path)
        return try disk.link(path, to: newPath)
    }
    func remove(_ path: FilePath) throws(FileSystemError) -> Bool {
        try step(path)
        return try disk.remove(path)
    }
    func setAttributes(of path: FilePath, owner: UInt32, group: UInt32, mode: UInt32) throws(FileSystemError) {
        try disk.setAttributes(of: path, owner: owner, group: group, mode: mode)
    }
}
