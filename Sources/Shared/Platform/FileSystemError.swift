package import SystemPackage

/// A failed call of the operating system: what was tried, on which path, and what the kernel answered.
///
/// The call that failed changed nothing; calls that came before it stand.
package struct FileSystemError: Error, Equatable, CustomStringConvertible {
    /// What was tried, in words that complete "cannot …".
    package let operation: String
    /// The path it was tried on.
    package let path: FilePath
    /// The kernel's answer.
    package let errno: Errno

    package init(_ operation: String, _ path: FilePath, _ errno: Errno) {
        self.operation = operation
        self.path = path
        self.errno = errno
    }

    package var description: String {
        "cannot \(operation) \"\(path)\": \(errno)"
    }
}
