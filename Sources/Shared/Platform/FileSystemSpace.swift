import Glibc
package import SystemPackage

/// Room on a file system, as an unprivileged writer sees it.
package struct FileSystemSpace: Sendable {
    /// Bytes that may still be written.
    package let freeBytes: Int64
    /// Files that may still be created; `nil` where the file system does not count them.
    package let freeFiles: Int64?
    /// Bytes of a block: what the smallest file takes.
    package let blockSize: Int64

    /// Asks the file system that holds a path, or would hold it: the nearest directory above that exists.
    package init(wouldHold path: FilePath) throws(FileSystemError) {
        var path = path
        while try DiskFileSystem().status(of: path) == nil, path.removeLastComponent() {}
        try self.init(holding: path.isEmpty ? "." : path)
    }

    /// Asks the file system that holds an existing path.
    package init(holding path: FilePath) throws(FileSystemError) {
        var status = statvfs()
        guard path.withPlatformString({ statvfs($0, &status) }) == 0 else {
            throw FileSystemError("ask for free space at", path, Errno(rawValue: errno))
        }
        blockSize = Int64(status.f_frsize)
        freeBytes = Int64(status.f_bavail) * blockSize
        freeFiles = status.f_files == 0 ? nil : Int64(status.f_favail)
    }
}
