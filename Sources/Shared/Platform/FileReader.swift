import CPlatform
import Glibc
package import SystemPackage

/// A regular file open for reading.
///
/// Links are never followed at the last component, and opening a pipe does not block.
package final class FileReader: Sendable {
    /// Where the file stood when it was opened.
    package let path: FilePath
    /// What it looked like when it was opened.
    package let opened: FileStatus
    private let descriptor: Int32

    /// Opens a regular file; `nil` where there is none.
    ///
    /// Throws `EISDIR` or `ELOOP` for what is not a regular file.
    package init?(opening path: FilePath) throws(FileSystemError) {
        let descriptor = path.withPlatformString { open($0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
        guard descriptor >= 0 else {
            let error = Errno(rawValue: errno)
            if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
            throw FileSystemError("open", path, error)
        }
        self.path = path
        self.descriptor = descriptor
        do throws(FileSystemError) { opened = try Self.status(of: descriptor, path) } catch {
            close(descriptor)
            throw error
        }
        guard opened.kind == .file else { throw FileSystemError("read as a file", path, .isDirectory) }
    }

    deinit { close(descriptor) }

    /// What the open file looks like now.
    package func status() throws(FileSystemError) -> FileStatus { try Self.status(of: descriptor, path) }

    private static func status(of descriptor: Int32, _ path: FilePath) throws(FileSystemError) -> FileStatus {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileSystemError("look at", path, Errno(rawValue: errno)) }
        return FileStatus(status)
    }

    /// Tells the kernel that the file will be read from start to end.
    package func adviseSequential() {
        _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    /// Makes the kernel forget its copy of the file's clean pages, so that the next read comes from the device.
    package func dropCache() {
        _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    }

    /// Reads at `offset` until `buffer` is full or the file ends, and returns how many bytes there were.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileSystemError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = pread(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled, off_t(offset) + filled)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileSystemError("read", path, Errno(rawValue: errno))
            }
            filled += count
        }
        return filled
    }

    /// Reads `count` bytes at `offset`, fewer at the end of the file.
    package func read(_ count: Int, at offset: Int64) throws(FileSystemError) -> [UInt8] {
        do {
            return try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                filled = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            }
        } catch let error as FileSystemError {
            throw error
        } catch {
            throw FileSystemError("read", path, .ioError)
        }
    }

    /// Reads the whole file; throws `EFBIG` when it has more than `limit` bytes.
    package func readAll(limit: Int) throws(FileSystemError) -> [UInt8] {
        let size = Int(opened.identity.size)
        guard size <= limit else { throw FileSystemError("read", path, .fileTooLarge) }
        // One byte more says whether it has grown.
        var bytes = try read(size + 1, at: 0)
        if bytes.count <= size { return bytes }
        while bytes.count <= limit {
            let more = try read(64 * 1024, at: Int64(bytes.count))
            if more.isEmpty { return bytes }
            bytes += more
        }
        throw FileSystemError("read", path, .fileTooLarge)
    }
}
