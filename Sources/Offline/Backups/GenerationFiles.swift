package import Platform
package import SystemPackage

/// What lies in a generation's directory, without its header and its sums.
package struct GenerationFiles: Sendable {
    /// Relative to the directory, sorted.
    package private(set) var paths: [String] = []
    package private(set) var packuments = 0
    package private(set) var tarballs = 0
    /// Bytes, as they would be copied; a link of a file that is gone elsewhere takes as many.
    package private(set) var bytes: Int64 = 0

    package init(in directory: FilePath, files: any FileSystem) throws(FileSystemError) {
        for name in try files.names(in: directory.appending(Generation.packuments)) ?? [] {
            try add("\(Generation.packuments)/\(name)", of: directory, files)
            if name.hasSuffix(".before.json") { packuments += 1 }
        }
        let replaced = directory.appending(Generation.replaced)
        for package in try files.names(in: replaced) ?? [] {
            for name in try files.names(in: replaced.appending(package)) ?? [] {
                try add("\(Generation.replaced)/\(package)/\(name)", of: directory, files)
                if !name.hasPrefix(".") { tarballs += 1 }
            }
        }
        paths.sort { $0.precedesByBytes($1) }
    }

    /// Drafts, whose names begin with a dot, are none of it.
    private mutating func add(_ path: String, of directory: FilePath, _ files: any FileSystem) throws(FileSystemError) {
        guard !path.contains("/."), let status = try files.status(of: directory.appending(path)), status.kind == .file else { return }
        paths.append(path)
        bytes += status.identity.size
    }
}
