package import Integrity
package import Platform
package import SystemPackage

/// The target states of the last imports, each the `snapshot.txt` of its bundle, by state root: `targets` of the state.
///
/// What a destination lacks of a state can be told as long as its list is kept.
package struct TargetStore: Sendable {
    private let directory: FilePath
    private let files: any FileSystem

    package init(state: FilePath, files: any FileSystem = DiskFileSystem()) {
        directory = state.appending("targets")
        self.files = files
    }

    private func path(of root: SHA512Digest) -> FilePath { directory.appending("\(root).txt") }

    /// Keeps a list that was proved to give that root; the file is moved here from the same file system.
    package func keep(_ list: FilePath, of root: SHA512Digest) throws(FileSystemError) {
        try files.createDirectories(directory)
        try files.sync(list)
        try files.rename(list, to: path(of: root))
        try files.syncDirectory(directory)
    }

    /// Removes every list but these.
    package func prune(keeping roots: Set<SHA512Digest>) throws(FileSystemError) {
        let kept = Set(roots.map { "\($0).txt" })
        for name in try files.names(in: directory) ?? [] where !kept.contains(name) { _ = try files.remove(directory.appending(name)) }
    }

    /// Reads a list package by package; `nil` where it is not kept.
    package func open(_ root: SHA512Digest) throws -> TargetCursor? {
        guard let reader = try FileReader(opening: path(of: root)) else { return nil }
        return try TargetCursor(reader)
    }
}
