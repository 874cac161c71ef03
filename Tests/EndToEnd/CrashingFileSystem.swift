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
    private let errno: Errno
    private let countsSyncs: Bool

    /// - Parameters:
    ///   - errno: what the kernel answers from then on.
    ///   - countsSyncs: whether making things durable is a step, too.
    init(stepsUntilCrash: Int, isLasting: Bool = true, errno: Errno = .ioError, countsSyncs: Bool = false) {
        stepsLeft = Mutex(stepsUntilCrash)
        self.isLasting = isLasting
        self.errno = errno
        self.countsSyncs = countsSyncs
    }

    private func step(_ path: FilePath) throws(FileSystemError) {
        let isOver = stepsLeft.withLock { steps in
            steps -= 1
            return isLasting ? steps < 0 : steps == -1
        }
        if isOver { throw FileSystemError("go on after the crash at", path, errno) }
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
    func append(_ bytes: UnsafeRawBufferPointer, to path: FilePath) throws(FileSystemError) {
        try step(path)
        try disk.append(bytes, to: path)
    }
    func truncate(_ path: FilePath, to size: Int64) throws(FileSystemError) {
        try step(path)
        try disk.truncate(path, to: size)
    }
    func sync(_ path: FilePath) throws(FileSystemError) {
        if countsSyncs { try step(path) }
        try disk.sync(path)
    }
    func syncDirectory(_ path: FilePath) throws(FileSystemError) {
        if countsSyncs { try step(path) }
        try disk.syncDirectory(path)
    }
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

/// The machine's file system, which counts the pieces that are added to files, and fails from the n-th on.
final class CountingFileSystem: FileSystem {
    private let disk = DiskFileSystem()
    private let added = Mutex(0)
    private let limit: Int

    init(piecesUntilCrash: Int = .max) { limit = piecesUntilCrash }

    var pieces: Int { added.withLock { $0 } }

    func append(_ bytes: UnsafeRawBufferPointer, to path: FilePath) throws(FileSystemError) {
        let isOver = added.withLock { count in
            count += 1
            return count > limit
        }
        if isOver { throw FileSystemError("go on after the crash at", path, .ioError) }
        try disk.append(bytes, to: path)
    }

    /// Nobody is left to clear up after the crash.
    private func live(_ path: FilePath) throws(FileSystemError) {
        if pieces > limit { throw FileSystemError("go on after the crash at", path, .ioError) }
    }

    func status(of path: FilePath) throws(FileSystemError) -> FileStatus? { try disk.status(of: path) }
    func contents(of path: FilePath, limit: Int) throws(FileSystemError) -> [UInt8]? { try disk.contents(of: path, limit: limit) }
    func names(in directory: FilePath) throws(FileSystemError) -> [String]? { try disk.names(in: directory) }
    func createDirectory(_ path: FilePath) throws(FileSystemError) -> Bool { try disk.createDirectory(path) }
    func createExclusively(_ path: FilePath) throws(FileSystemError) -> FileIdentity? { try disk.createExclusively(path) }
    func write(_ bytes: [UInt8], to path: FilePath) throws(FileSystemError) { try disk.write(bytes, to: path) }
    func truncate(_ path: FilePath, to size: Int64) throws(FileSystemError) { try disk.truncate(path, to: size) }
    func sync(_ path: FilePath) throws(FileSystemError) { try disk.sync(path) }
    func syncDirectory(_ path: FilePath) throws(FileSystemError) { try disk.syncDirectory(path) }
    func syncFileSystem(holding path: FilePath) throws(FileSystemError) { try disk.syncFileSystem(holding: path) }
    func rename(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) {
        try live(path)
        try disk.rename(path, to: newPath)
    }
    func renameWithoutReplacing(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool {
        try disk.renameWithoutReplacing(path, to: newPath)
    }
    func link(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool { try disk.link(path, to: newPath) }
    func remove(_ path: FilePath) throws(FileSystemError) -> Bool {
        try live(path)
        return try disk.remove(path)
    }
    func setAttributes(of path: FilePath, owner: UInt32, group: UInt32, mode: UInt32) throws(FileSystemError) {
        try disk.setAttributes(of: path, owner: owner, group: group, mode: mode)
    }
}
