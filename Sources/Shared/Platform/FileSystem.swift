package import SystemPackage

/// The steps by which files change, each no bigger than the kernel's own, so that a test can stop between any two of them.
///
/// Nothing is durable before it is synced: a file's bytes by `sync`, names in a directory by `syncDirectory`. Missing is `nil` or
/// `false`; anything else that goes wrong is thrown, and the step that threw changed nothing.
package protocol FileSystem: Sendable {
    /// What stands at the path itself; links are not followed. `nil` where nothing does.
    func status(of path: FilePath) throws(FileSystemError) -> FileStatus?
    /// The whole contents, or `nil` where there is no file. Throws `EFBIG` above `limit` bytes.
    func contents(of path: FilePath, limit: Int) throws(FileSystemError) -> [UInt8]?
    /// The names in a directory without `.` and `..`, sorted by bytes, or `nil` where there is none.
    func names(in directory: FilePath) throws(FileSystemError) -> [String]?
    /// Creates a directory of mode 0755; `false` where something stands there already.
    func createDirectory(_ path: FilePath) throws(FileSystemError) -> Bool
    /// Creates an empty file; `nil` where something stands there already.
    func createExclusively(_ path: FilePath) throws(FileSystemError) -> FileIdentity?
    /// Creates or truncates a file of mode 0644 and fills it. Not durable yet.
    func write(_ bytes: [UInt8], to path: FilePath) throws(FileSystemError)
    /// Adds bytes to the end of a file that is there, and has the kernel begin to write them to the device. Not durable yet.
    ///
    /// Where it throws, a part of the bytes may have been added.
    func append(_ bytes: UnsafeRawBufferPointer, to path: FilePath) throws(FileSystemError)
    /// Cuts a file off behind so many bytes. Not durable yet.
    func truncate(_ path: FilePath, to size: Int64) throws(FileSystemError)
    /// Makes the bytes of a file durable.
    func sync(_ path: FilePath) throws(FileSystemError)
    /// Makes the names in a directory durable.
    func syncDirectory(_ path: FilePath) throws(FileSystemError)
    /// Makes everything on the file system that holds `path` durable.
    func syncFileSystem(holding path: FilePath) throws(FileSystemError)
    /// Renames, replacing a file that stands at the new path. Not durable yet.
    func rename(_ path: FilePath, to newPath: FilePath) throws(FileSystemError)
    /// Renames unless something stands at the new path, then `false`. Not durable yet.
    func renameWithoutReplacing(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool
    /// Gives a file a second name; `false` where something stands at the new path. Not durable yet.
    func link(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool
    /// Removes a file, a link or an empty directory; `false` where nothing stands there.
    func remove(_ path: FilePath) throws(FileSystemError) -> Bool
    /// Sets owner, group and permission bits.
    func setAttributes(of path: FilePath, owner: UInt32, group: UInt32, mode: UInt32) throws(FileSystemError)
}

extension FileSystem {
    /// Replaces a file in one step: after a power cut at any moment it holds the old bytes or the new ones.
    ///
    /// The draft stands beside the file under a name that starts with a dot. When this throws, the old bytes stand.
    package func replace(_ path: FilePath, with bytes: [UInt8]) throws(FileSystemError) {
        let draft = path.parent.appending(".\(path.name).draft")
        try write(bytes, to: draft)
        try sync(draft)
        try rename(draft, to: path)
        try syncDirectory(path.parent)
    }

    /// Creates a directory and those above it that are missing.
    package func createDirectories(_ path: FilePath) throws(FileSystemError) {
        if let status = try status(of: path), status.kind != .symbolicLink {
            guard status.kind == .directory else { throw FileSystemError("create directory", path, .notDirectory) }
            return
        }
        let parent = path.parent
        if !parent.isEmpty, parent != path { try createDirectories(parent) }
        _ = try createDirectory(path)
    }

    /// Removes a directory with all that is below it; links are removed, not followed.
    ///
    /// Nothing happens where there is none.
    package func removeTree(_ path: FilePath) throws(FileSystemError) {
        guard let status = try status(of: path) else { return }
        if status.kind == .directory {
            for name in try names(in: path) ?? [] {
                try removeTree(path.appending(name))
            }
        }
        _ = try remove(path)
    }
}
