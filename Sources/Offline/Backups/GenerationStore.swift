package import Platform
package import SystemPackage

/// The generations that lie in a storage.
package struct GenerationStore: Sendable {
    /// What a generation holds.
    package struct Summary: Sendable, Hashable {
        package let name: GenerationName
        /// Packuments that were replaced.
        package var packuments = 0
        /// Tarballs that were replaced or removed.
        package var tarballs = 0
        /// Bytes.
        package var bytes: Int64 = 0
        /// Whether the import that made it has ended.
        package var isSealed = true
    }

    private let storages: [FilePath]
    private let files: any FileSystem
    private static let leaving = ".leaving-"

    /// - Parameter storages: the physical storages.
    package init(storages: some Sequence<FilePath>, files: any FileSystem = DiskFileSystem()) {
        self.storages = storages.sorted { $0.string < $1.string }
        self.files = files
    }

    /// Every generation, oldest first.
    package func summaries() throws -> [Summary] {
        var found: [GenerationName: Summary] = [:]
        for storage in storages {
            let folder = storage.appending(Generation.folder)
            for text in try files.names(in: folder) ?? [] {
                guard let name = GenerationName(text) else { continue }
                let directory = folder.appending(text)
                let content = try GenerationFiles(in: directory, files: files)
                var summary = found[name] ?? Summary(name: name)
                summary.packuments += content.packuments
                summary.tarballs += content.tarballs
                summary.bytes += content.bytes
                if try files.status(of: directory.appending(Generation.sums)) == nil { summary.isSealed = false }
                found[name] = summary
            }
        }
        return found.values.sorted { $0.name < $1.name }
    }

    /// Whether a generation lies in all these physical storages.
    package func contains(_ name: GenerationName) throws -> Bool {
        try storages.allSatisfy {
            try files.status(of: $0.appending(Generation.folder).appending(name.text).appending(Generation.header)) != nil
        }
    }

    /// Removes a generation; cut off at any moment it is there, or gone.
    package func remove(_ name: GenerationName) throws {
        for storage in storages {
            let folder = storage.appending(Generation.folder)
            let directory = folder.appending(name.text)
            guard try files.status(of: directory) != nil else { continue }
            let leaving = folder.appending("\(Self.leaving)\(name)")
            try files.removeTree(leaving)
            try files.rename(directory, to: leaving)
            try files.syncDirectory(folder)
            try files.removeTree(leaving)
        }
    }

    /// Removes what a removal that was interrupted has left.
    package func recover() throws {
        for storage in storages {
            let folder = storage.appending(Generation.folder)
            for name in try files.names(in: folder) ?? [] where name.hasPrefix(Self.leaving) {
                try files.removeTree(folder.appending(name))
            }
        }
    }
}
