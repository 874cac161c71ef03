import Glibc
import Synchronization
package import SystemPackage

/// A file that several tasks write lines to; each line is in the file when its call returns.
package final class LogFile: Sendable {
    package let path: FilePath
    private let descriptor: Int32
    private let failure = Mutex<FileSystemError?>(nil)

    /// Creates the file with mode 0644, or goes on with one that is there.
    package init(appendingTo path: FilePath) throws(FileSystemError) {
        self.path = path
        descriptor = path.withPlatformString { open($0, O_CREAT | O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o644) }
        guard descriptor >= 0 else { throw FileSystemError("create", path, Errno(rawValue: errno)) }
    }

    deinit { Glibc.close(descriptor) }

    /// Appends a line; after one that could not be written, others are passed over.
    package func write(_ line: String) {
        failure.withLock { failure in
            guard failure == nil else { return }
            var rest = Array("\(line)\n".utf8)[...]
            while !rest.isEmpty {
                let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if written < 0, errno != EINTR { return failure = FileSystemError("write", path, Errno(rawValue: errno)) }
                rest = rest.dropFirst(max(0, written))
            }
        }
    }

    /// Throws what kept a line from being written.
    package func check() throws(FileSystemError) {
        if let failure = failure.withLock({ $0 }) { throw failure }
    }
}
