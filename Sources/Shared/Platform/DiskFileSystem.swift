import CPlatform
import Glibc
package import SystemPackage

/// The machine's own file system.
package struct DiskFileSystem: FileSystem {
    package init() {}

    package func status(of path: FilePath) throws(FileSystemError) -> FileStatus? {
        var status = stat()
        let result = path.withPlatformString { lstat($0, &status) }
        if result == 0 { return FileStatus(status) }
        let error = Errno(rawValue: errno)
        if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
        throw FileSystemError("look at", path, error)
    }

    package func contents(of path: FilePath, limit: Int) throws(FileSystemError) -> [UInt8]? {
        guard let reader = try FileReader(opening: path) else { return nil }
        return try reader.readAll(limit: limit)
    }

    package func names(in directory: FilePath) throws(FileSystemError) -> [String]? {
        guard let reader = try DirectoryReader(opening: directory) else { return nil }
        return try reader.names()
    }

    package func createDirectory(_ path: FilePath) throws(FileSystemError) -> Bool {
        let result = path.withPlatformString { mkdir($0, 0o755) }
        if result == 0 { return true }
        let error = Errno(rawValue: errno)
        if error == .fileExists { return false }
        throw FileSystemError("create directory", path, error)
    }

    package func createExclusively(_ path: FilePath) throws(FileSystemError) -> FileIdentity? {
        let descriptor = path.withPlatformString { open($0, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o644) }
        guard descriptor >= 0 else {
            let error = Errno(rawValue: errno)
            if error == .fileExists { return nil }
            throw FileSystemError("create", path, error)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileSystemError("look at", path, Errno(rawValue: errno)) }
        return FileStatus(status).identity
    }

    package func write(_ bytes: [UInt8], to path: FilePath) throws(FileSystemError) {
        let writer = try FileWriter(creating: path)
        try writer.write(bytes)
        try writer.close()
    }

    package func append(_ bytes: UnsafeRawBufferPointer, to path: FilePath) throws(FileSystemError) {
        let descriptor = path.withPlatformString { open($0, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC) }
        guard descriptor >= 0 else { throw FileSystemError("open", path, Errno(rawValue: errno)) }
        defer { close(descriptor) }
        let start = lseek(descriptor, 0, SEEK_END)
        var offset = 0
        while offset < bytes.count {
            let written = Glibc.write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            if written < 0 {
                if errno == EINTR { continue }
                throw FileSystemError("write", path, Errno(rawValue: errno))
            }
            offset += written
        }
        _ = cplatform_start_writeback(descriptor, Int64(start), Int64(bytes.count))
    }

    package func truncate(_ path: FilePath, to size: Int64) throws(FileSystemError) {
        let descriptor = path.withPlatformString { open($0, O_WRONLY | O_NOFOLLOW | O_CLOEXEC) }
        guard descriptor >= 0 else { throw FileSystemError("open", path, Errno(rawValue: errno)) }
        defer { close(descriptor) }
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw FileSystemError("cut off", path, Errno(rawValue: errno)) }
    }

    package func sync(_ path: FilePath) throws(FileSystemError) {
        try syncing("sync", path, flags: O_RDONLY) { fsync($0) == 0 ? 0 : -errno }
    }

    package func syncDirectory(_ path: FilePath) throws(FileSystemError) {
        try syncing("sync directory", path.isEmpty ? "." : path, flags: O_RDONLY | O_DIRECTORY) { fsync($0) == 0 ? 0 : -errno }
    }

    package func syncFileSystem(holding path: FilePath) throws(FileSystemError) {
        try syncing("sync the file system of", path, flags: O_RDONLY) { cplatform_syncfs($0) }
    }

    package func rename(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) {
        let result = path.withPlatformString { from in newPath.withPlatformString { to in Glibc.rename(from, to) } }
        guard result == 0 else { throw FileSystemError("rename to \"\(newPath)\" the file", path, Errno(rawValue: errno)) }
    }

    package func renameWithoutReplacing(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool {
        let result = path.withPlatformString { from in
            newPath.withPlatformString { to in cplatform_rename_noreplace(from, to) }
        }
        if result == 0 { return true }
        let error = Errno(rawValue: -result)
        if error == .fileExists || error == .directoryNotEmpty { return false }
        throw FileSystemError("rename to \"\(newPath)\" the file", path, error)
    }

    package func link(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool {
        let result = path.withPlatformString { from in newPath.withPlatformString { to in Glibc.link(from, to) } }
        if result == 0 { return true }
        let error = Errno(rawValue: errno)
        if error == .fileExists { return false }
        throw FileSystemError("link to \"\(newPath)\" the file", path, error)
    }

    package func remove(_ path: FilePath) throws(FileSystemError) -> Bool {
        let result = path.withPlatformString { Glibc.remove($0) }
        if result == 0 { return true }
        let error = Errno(rawValue: errno)
        if error == .noSuchFileOrDirectory || error == .notDirectory { return false }
        throw FileSystemError("remove", path, error)
    }

    package func setAttributes(of path: FilePath, owner: UInt32, group: UInt32, mode: UInt32) throws(FileSystemError) {
        guard path.withPlatformString({ lchown($0, owner, group) }) == 0 else {
            throw FileSystemError("change the owner of", path, Errno(rawValue: errno))
        }
        guard path.withPlatformString({ chmod($0, mode) }) == 0 else {
            throw FileSystemError("change the mode of", path, Errno(rawValue: errno))
        }
    }

    /// The absolute path with every link followed; `nil` where nothing stands at the end.
    package func resolve(_ path: FilePath) throws(FileSystemError) -> FilePath? {
        guard let resolved = path.withPlatformString({ realpath($0, nil) }) else {
            let error = Errno(rawValue: errno)
            if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
            throw FileSystemError("resolve", path, error)
        }
        defer { free(resolved) }
        return FilePath(platformString: resolved)
    }

    /// What a link says; `nil` for what is none, or cannot be looked at.
    package func target(of link: FilePath) -> FilePath? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = link.withPlatformString { readlink($0, &buffer, buffer.count - 1) }
        return count < 0 ? nil : FilePath(platformString: Array(buffer[..<count]) + [0])
    }

    private func syncing(
        _ operation: String, _ path: FilePath, flags: Int32, _ call: (Int32) -> Int32
    ) throws(FileSystemError) {
        let descriptor = path.withPlatformString { open($0, flags | O_CLOEXEC) }
        guard descriptor >= 0 else { throw FileSystemError(operation, path, Errno(rawValue: errno)) }
        defer { close(descriptor) }
        let result = call(descriptor)
        guard result == 0 else { throw FileSystemError(operation, path, Errno(rawValue: -result)) }
    }
}
