package import Platform
package import SystemPackage

/// Something that is no regular file, where a tarball belongs: a directory, a pipe, a link.
package struct Obstruction: Error, Sendable, Hashable, CustomStringConvertible {
    package let path: FilePath
    package let kind: FileStatus.Kind

    package init(_ path: FilePath, _ kind: FileStatus.Kind) {
        self.path = path
        self.kind = kind
    }

    package var description: String {
        let words =
            switch kind {
            case .directory: "a directory"
            case .symbolicLink: "a symbolic link"
            case .file, .other: "no regular file"
            }
        return "\"\(path)\" is \(words), and a tarball belongs there"
    }
}

extension FileReader {
    /// Opens a tarball; `nil` where there is none.
    ///
    /// - Throws: `Obstruction` where something else than a file stands there; `FileSystemError`.
    package static func tarball(at path: FilePath) throws -> FileReader? {
        do throws(FileSystemError) { return try FileReader(opening: path) } catch {
            guard let kind = try DiskFileSystem().status(of: path)?.kind, kind != .file else { throw error }
            throw Obstruction(path, kind)
        }
    }
}

/// What lies in a package's directory under the names of tarballs.
package struct TarballListing: Sendable {
    /// The tarballs, with their sizes in bytes.
    package private(set) var sizes: [FileName: Int64] = [:]
    /// What is no tarball, by its path.
    package private(set) var obstructions: [Obstruction] = []

    package var files: Set<FileName> { Set(sizes.keys) }

    /// Looks at a directory; there is nothing in one that is not there.
    package init(of directory: FilePath, files: any FileSystem) throws(FileSystemError) {
        for name in try files.names(in: directory) ?? [] {
            let path = directory.appending(name)
            guard let file = FileName(name), !file.isPackument, let status = try files.status(of: path) else { continue }
            if status.kind == .file {
                sizes[file] = status.identity.size
            } else {
                obstructions.append(Obstruction(path, status.kind))
            }
        }
    }
}
