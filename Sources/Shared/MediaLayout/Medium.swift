package import BundleFormat
package import Platform
package import SystemPackage

/// A medium: a directory that carries bundles below `ferry/` (FORMAT.md §9).
package struct Medium: Sendable, Hashable, CustomStringConvertible {
    /// Where the medium is mounted.
    package let root: FilePath
    /// What is written on it, for messages.
    package let label: String?
    /// Bytes of the longest volume that its file system takes; `nil` where it sets no limit.
    package let largestVolume: Int64?
    /// Largest number of volumes of one bundle.
    package static let volumeLimit = 999

    package init(root: FilePath, label: String? = nil, largestVolume: Int64? = nil) {
        self.root = root
        self.label = label
        self.largestVolume = largestVolume
    }

    package var description: String { "the medium \(label.map { "\"\($0)\" " } ?? "")at \"\(root)\"" }

    /// The folder that is ours.
    package var folder: FilePath { root.appending("ferry") }

    /// Where a bundle lies.
    package func directory(of bundle: String) -> FilePath { folder.appending("bundles").appending(bundle) }

    /// The bundles that were written to the end, by origin and sequence; `nil` where there is no `ferry/index.json`.
    package func entries() throws -> [MediumEntry]? {
        // A link would lead out of the medium.
        guard try DiskFileSystem().status(of: folder)?.kind == .directory else { return nil }
        guard let bytes = try DiskFileSystem().contents(of: folder.appending("index.json"), limit: MediumIndex.sizeLimit) else {
            return nil
        }
        return try MediumIndex.parse(bytes)
    }

    /// Opens the archive of a bundle that the index lists.
    package func archive(of entry: MediumEntry) throws(FileSystemError) -> ArchiveSource {
        let directory = directory(of: entry.descriptor.bundle)
        for path in [directory.removingLastComponent(), directory] {
            guard try DiskFileSystem().status(of: path)?.kind == .directory else {
                throw FileSystemError("open as a directory of the medium", path, .notDirectory)
            }
        }
        return try ArchiveSource(volumes: entry.volumes.map { directory.appending($0.name) })
    }

    /// Finds the volumes an archive consists of, given the archive, its first volume, or the directory both lie in.
    ///
    /// - Returns: the files in order; empty where there is none.
    package static func volumes(at path: FilePath) throws(FileSystemError) -> [FilePath] {
        let files = DiskFileSystem()
        guard let status = try files.status(of: path) else { return [] }
        if status.kind == .directory {
            let names = (try files.names(in: path) ?? []).filter(isArchiveName)
            let stems = Set(names.map { $0.hasSuffix(".zst") ? $0 : String($0.dropLast(4)) })
            return stems.count == 1 ? names.map { path.appending($0) } : []
        }
        guard let name = path.lastComponent?.string, name.hasSuffix(".zst.001") else { return [path] }
        let directory = path.removingLastComponent()
        let stem = name.dropLast(3)
        return (try files.names(in: directory.isEmpty ? "." : directory) ?? [])
            .filter { $0.hasPrefix(stem) && isArchiveName($0) }.map { directory.appending($0) }
    }

    /// `diff-YYYYMMDDHHmm.tar.zst`, with `.001` to `.999` for a volume.
    static func isArchiveName(_ name: String) -> Bool {
        let stem = name.utf8.count == 29 ? String(name.dropLast(4)) : name
        let number = name.utf8.count == 29 ? name.suffix(4) : ".001"
        let isNumber = number.first == "." && number.dropFirst().utf8.allSatisfy(isDigit)
        return stem.utf8.count == 25 && stem.hasPrefix("diff-") && stem.hasSuffix(".tar.zst")
            && stem.dropFirst(5).prefix(12).utf8.allSatisfy(isDigit) && isNumber
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}
