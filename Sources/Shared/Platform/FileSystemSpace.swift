import Glibc
package import SystemPackage

/// Room on a file system, as an unprivileged writer sees it.
package struct FileSystemSpace: Sendable {
    /// Bytes that may still be written.
    package let freeBytes: Int64
    /// Bytes that may be written to it when it is empty; what is kept for the system is left out, as `df` does.
    package let totalBytes: Int64
    /// Files that may still be created; `nil` where the file system does not count them.
    package let freeFiles: Int64?
    /// Files that it can hold; `nil` where the file system does not count them.
    package let totalFiles: Int64?
    /// Bytes of a block: what the smallest file takes.
    package let blockSize: Int64
    /// What tells the file system from others that could be mounted there; 0 where it does not say.
    package let identifier: UInt64

    /// Too little room for a database to be worked with.
    ///
    /// Nothing was changed.
    package struct Full: Error, Equatable, CustomStringConvertible {
        package let path: FilePath
        package let free: Int64

        package var description: String {
            "the disk that holds \"\(path)\" is full: \(free) bytes are free, and \(reserve) are needed to work"
        }
    }

    /// What a state directory must have free: SQLite maps its index of the log into memory, and on a full disk the program would be
    /// killed for touching it.
    package static let reserve: Int64 = 4 << 20

    /// Throws `Full` where a state directory has less than the reserve.
    package static func requireReserve(in directory: FilePath) throws {
        let free = try FileSystemSpace(holding: directory).freeBytes
        guard free >= reserve else { throw Full(path: directory, free: free) }
    }

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
        totalBytes = freeBytes + Int64(status.f_blocks - status.f_bfree) * blockSize
        freeFiles = status.f_files == 0 ? nil : Int64(status.f_favail)
        totalFiles = status.f_files == 0 ? nil : Int64(status.f_favail + status.f_files - status.f_ffree)
        identifier = UInt64(status.f_fsid)
    }

    package init(freeBytes: Int64, totalBytes: Int64, freeFiles: Int64? = nil, totalFiles: Int64? = nil, blockSize: Int64 = 4096) {
        self.freeBytes = freeBytes
        self.totalBytes = totalBytes
        self.freeFiles = freeFiles
        self.totalFiles = totalFiles
        self.blockSize = blockSize
        identifier = 0
    }

    /// The free part of the bytes, in percent; 0 where there are none at all.
    package var freePercent: Double { totalBytes > 0 ? 100 * Double(freeBytes) / Double(totalBytes) : 0 }

    /// The free part of the files that it can hold, in percent; `nil` where the file system does not count them.
    package var freeFilesPercent: Double? {
        guard let freeFiles, let totalFiles, totalFiles > 0 else { return nil }
        return 100 * Double(freeFiles) / Double(totalFiles)
    }
}
