import Platform
import SystemPackage

/// The machine's file system as one that takes names differing in case only for one.
struct FoldingFileSystem: ForwardingFileSystem {
    func status(of path: FilePath) throws(FileSystemError) -> FileStatus? {
        if let status = try disk.status(of: path) { return status }
        let directory = path.removingLastComponent()
        let name = path.lastComponent?.string.lowercased()
        guard let found = try disk.names(in: directory)?.first(where: { $0.lowercased() == name }) else { return nil }
        return try disk.status(of: directory.appending(found))
    }
}
