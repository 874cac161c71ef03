import CPlatform
import Glibc
package import SystemPackage

/// A directory open for reading: its names, and the status of what they name.
package final class DirectoryReader {
    /// Where the directory stood when it was opened.
    package let path: FilePath
    private let descriptor: Int32
    private var isAtStart = true

    /// Opens a directory, not following a link at the last component; `nil` where there is none.
    package init?(opening path: FilePath, followingLink: Bool = false) throws(FileSystemError) {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (followingLink ? 0 : O_NOFOLLOW)
        let descriptor = path.withPlatformString { open($0, flags) }
        guard descriptor >= 0 else {
            let error = Errno(rawValue: errno)
            if error == .noSuchFileOrDirectory { return nil }
            throw FileSystemError("open directory", path, error)
        }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// The names without `.` and `..`, sorted by their bytes.
    ///
    /// A name that is not UTF-8 comes with replacement characters.
    package func names() throws(FileSystemError) -> [String] {
        var names: [String] = []
        try forEachName { names.append($0) }
        names.sort { $0.precedesByBytes($1) }
        return names
    }

    /// Hands over each name without `.` and `..`, in no order; a directory of a million names takes no more memory than one of ten.
    ///
    /// What is added or removed meanwhile may be among them or not.
    package func forEachName(_ body: (String) throws(FileSystemError) -> Void) throws(FileSystemError) {
        try forEach { name, _ throws(FileSystemError) in try body(name) }
    }

    /// The names without `.` and `..`, sorted by their bytes, each with the kind of what stands there.
    ///
    /// Most file systems tell the kind with the name, which is several times as fast as asking for it. It is `nil` where nothing stands
    /// at the name any more, and for a name that is not UTF-8, which comes with replacement characters.
    package func kinds() throws(FileSystemError) -> [(name: String, kind: FileStatus.Kind?)] {
        var kinds: [(name: String, kind: FileStatus.Kind?)] = []
        try forEach { name, type throws(FileSystemError) in
            switch Int(type) {
            case _ where name.contains("\u{FFFD}"), DT_UNKNOWN: kinds.append((name, try status(of: name)?.kind))
            case DT_REG: kinds.append((name, .file))
            case DT_DIR: kinds.append((name, .directory))
            case DT_LNK: kinds.append((name, .symbolicLink))
            default: kinds.append((name, .other))
            }
        }
        kinds.sort { $0.name.precedesByBytes($1.name) }
        return kinds
    }

    /// Bytes of entries that are asked for at once.
    private static let portion = 32 << 10

    /// Goes through `struct linux_dirent64`: an inode of 8 bytes, a position of 8, its own length of 2, a type of 1, and the name with its 0.
    private func forEach(_ body: (String, UInt8) throws(FileSystemError) -> Void) throws(FileSystemError) {
        if !isAtStart, lseek(descriptor, 0, SEEK_SET) != 0 { throw FileSystemError("list", path, Errno(rawValue: errno)) }
        isAtStart = false
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: Self.portion, alignment: 8)
        defer { buffer.deallocate() }
        while true {
            let filled = Int(cplatform_entries(descriptor, buffer, Int32(Self.portion)))
            guard filled >= 0 else { throw FileSystemError("list", path, Errno(rawValue: Int32(-filled))) }
            guard filled > 0 else { return }
            var entry = 0
            while entry < filled {
                let name = String(cString: (buffer + entry + 19).assumingMemoryBound(to: CChar.self))
                if name != ".", name != ".." { try body(name, buffer.load(fromByteOffset: entry + 18, as: UInt8.self)) }
                entry += Int(buffer.load(fromByteOffset: entry + 16, as: UInt16.self))
            }
        }
    }

    /// What stands at a name of this directory; links are not followed.
    ///
    /// `nil` where nothing does.
    package func status(of name: String) throws(FileSystemError) -> FileStatus? {
        var status = stat()
        if fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return FileStatus(status) }
        let error = Errno(rawValue: errno)
        if error == .noSuchFileOrDirectory { return nil }
        throw FileSystemError("look at", path.appending(name), error)
    }
}
