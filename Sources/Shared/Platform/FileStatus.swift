import Glibc

/// What tells one state of a file from another without reading it.
///
/// Two equal identities mean the same bytes, except where a file was written within the clock's resolution of the moment it was
/// looked at: see `isSettled(before:)`.
package struct FileIdentity: Sendable, Hashable {
    package var device: UInt64
    package var inode: UInt64
    /// Bytes.
    package var size: Int64
    /// Nanoseconds since 1970.
    package var modified: Int64
    /// Nanoseconds since 1970.
    package var changed: Int64

    package init(device: UInt64, inode: UInt64, size: Int64, modified: Int64, changed: Int64) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
    }

    /// Whether a write after `moment` would have shown in this identity: both times are older than it.
    ///
    /// This is git's "racily clean" rule (git, Documentation/technical/racy-git.txt). File systems that keep whole seconds only get
    /// two seconds of grace.
    package func isSettled(before moment: Int64) -> Bool {
        let isCoarse = modified % 1_000_000_000 == 0 && changed % 1_000_000_000 == 0
        return max(modified, changed) < (isCoarse ? moment - 2_000_000_000 : moment)
    }
}

/// What `lstat` says of a path.
package struct FileStatus: Sendable, Hashable {
    /// The kinds that matter to a storage.
    package enum Kind: Sendable, Hashable { case file, directory, symbolicLink, other }

    package var kind: Kind
    package var identity: FileIdentity
    /// Permission bits, such as `0o644`.
    package var mode: UInt32
    package var owner: UInt32
    package var group: UInt32
    package var linkCount: Int

    init(_ status: stat) {
        kind =
            switch status.st_mode & Glibc.S_IFMT {
            case Glibc.S_IFREG: .file
            case Glibc.S_IFDIR: .directory
            case Glibc.S_IFLNK: .symbolicLink
            default: .other
            }
        identity = FileIdentity(
            device: UInt64(status.st_dev),
            inode: UInt64(status.st_ino),
            size: Int64(status.st_size),
            modified: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec),
            changed: Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec))
        mode = UInt32(status.st_mode) & 0o7777
        owner = status.st_uid
        group = status.st_gid
        linkCount = Int(status.st_nlink)
    }
}
