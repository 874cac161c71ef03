import Glibc
package import SystemPackage

/// A lock between processes: held as long as this value lives, gone with the process, whatever ends it.
///
/// The file keeps a line that says who holds it, for the message of whoever comes second. It is never removed.
package final class ProcessLock: Sendable {
    private let descriptor: Int32

    /// What is said of a lock that another process holds.
    package struct Held: Error, CustomStringConvertible {
        package let path: FilePath
        /// The line the holder left, such as `import by pid 4711 since 2026-11-23T21:43:50.000Z`.
        package let holder: String

        package var description: String { "\"\(path)\" is locked: \(holder)" }
    }

    /// Takes the lock or throws `Held` at once; `FileSystemError` where the file cannot be made.
    package init(_ path: FilePath, holder: String) throws {
        descriptor = path.withPlatformString { open($0, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o644) }
        guard descriptor >= 0 else { throw FileSystemError("create", path, Errno(rawValue: errno)) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = Errno(rawValue: errno)
            var line = [UInt8](repeating: 0, count: 200)
            let count = pread(descriptor, &line, line.count, 0)
            Glibc.close(descriptor)
            guard error == .wouldBlock else { throw FileSystemError("lock", path, error) }
            throw Held(
                path: path,
                holder: String(decoding: line.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").first.map(String.init) ?? "")
        }
        _ = ftruncate(descriptor, 0)
        let line = Array("\(holder)\n".utf8)
        _ = pwrite(descriptor, line, line.count, 0)
    }

    /// Locks a directory itself and leaves nothing in it; throws `Held` at once where another process has locked it.
    ///
    /// - Parameter holder: what is said of the other process.
    package init(directory path: FilePath, holder: String) throws {
        descriptor = path.withPlatformString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw FileSystemError("open directory", path, Errno(rawValue: errno)) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = Errno(rawValue: errno)
            Glibc.close(descriptor)
            throw error == .wouldBlock ? Held(path: path, holder: holder) : FileSystemError("lock", path, error)
        }
    }

    deinit { Glibc.close(descriptor) }
}
