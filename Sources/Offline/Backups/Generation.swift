import Archives
import CanonicalJSON
import Integrity
package import PackageStore
package import Platform
package import Snapshots
import Synchronization
package import SystemPackage

/// What one import took out of the storage, kept on the storage's own file system so that the import can be undone.
///
/// ```
/// <physical storage>/.ferry-backups/<name>/
///   generation.json                      whose it is; written first
///   packuments/<package>+<n>.before.json a packument as it stood when the import replaced it
///   packuments/<package>+<n>.after.zst   what the import wrote in its place, compressed
///   files/<package>/<tarball>            bytes that the import replaced or removed
///   SHA512SUMS                           of all these; written last: the import has ended
/// ```
///
/// The `/` of a package's name is a `+` here. Everything is durable before the file it is of is touched. Numbers count the writes of one
/// package, since an import that was interrupted may write it again; one of them may never have come to be, which undoing it does not mind.
package final class Generation: Sendable {
    /// A packument that was replaced.
    package struct Write: Sendable {
        /// The bytes that stood there.
        package let before: [UInt8]
        /// The bytes that were written; empty where the package was taken away.
        package let after: [UInt8]
    }

    package let name: GenerationName
    private let layout: StorageLayout
    private let owner: Owner
    private let files: any FileSystem
    /// The digests of what was kept by this process, by its path.
    private let known = Mutex<[FilePath: SHA512Digest]>([:])

    /// Where generations lie in a physical storage.
    package static let folder = ".ferry-backups"
    static let header = "generation.json"
    static let sums = "SHA512SUMS"
    static let packuments = "packuments"
    static let replaced = "files"

    /// Who the files of a storage belong to.
    package struct Owner: Sendable {
        private let set: @Sendable (FilePath, UInt32) throws(FileSystemError) -> Void

        /// - Parameter set: gives a path to the storage's owner, with a mode, where that is somebody else.
        package init(set: @escaping @Sendable (FilePath, UInt32) throws(FileSystemError) -> Void) {
            self.set = set
        }

        package func own(_ path: FilePath, mode: UInt32) throws(FileSystemError) { try set(path, mode) }
    }

    package init(_ name: GenerationName, layout: StorageLayout, owner: Owner, files: any FileSystem) {
        self.name = name
        self.layout = layout
        self.owner = owner
        self.files = files
    }

    /// Makes the generation in physical storages, or goes on with what an interrupted import made of it.
    ///
    /// - Parameter import: the import's number in the ledger.
    package func open(in storages: some Sequence<FilePath>, import id: Int64, bundle: Identifier, origin: Identifier) throws {
        for storage in storages {
            let root = storage.appending(Self.folder)
            let directory = root.appending(name.text)
            for path in [root, directory, directory.appending(Self.packuments), directory.appending(Self.replaced)] {
                guard try files.createDirectory(path) else { continue }
                try owner.own(path, mode: 0o755)
                try files.syncDirectory(path.parent)
            }
            let header: JSONValue = [
                "type": "ferry.generation", "formatVersion": 1, "import": .integer(id), "bundle": .string(bundle.text),
                "origin": .string(origin.text),
            ]
            let path = directory.appending(Self.header)
            guard try files.status(of: path) == nil else { continue }
            try files.replace(path, with: header.canonicalBytes + [0x0A])
            try owner.own(path, mode: 0o644)
        }
    }

    /// Keeps a packument that is about to be replaced, and what is about to be written; both are durable when this returns.
    ///
    /// - Parameters:
    ///   - path: where the packument stands, under its lock.
    ///   - bytes: what it holds.
    ///   - after: what will stand there; empty where the package is taken away.
    package func keep(_ package: PackageName, at path: FilePath, holding bytes: [UInt8], replacedBy after: [UInt8]) throws {
        let folder = directory(of: package).appending(Self.packuments)
        var number = 1
        var isKept = false
        // A write that did not come to be is done over.
        while let kept = try files.contents(of: folder.appending(Self.before(package, number)), limit: StoredPackument.sizeLimit) {
            isKept = kept == bytes
            if isKept { break }
            number += 1
        }
        let before = folder.appending(Self.before(package, number))
        if !isKept { try SecondCopy.make(of: path, at: before, owner: owner, files: files) { bytes } }
        let later = folder.appending(Self.after(package, number))
        let compressed = try ZstdBuffer.compress(after)
        try files.write(compressed, to: later)
        try owner.own(later, mode: 0o644)
        try files.sync(later)
        try files.syncDirectory(folder)
        known.withLock { known in
            known[before] = SHA512.digest(of: bytes)
            known[later] = SHA512.digest(of: compressed)
        }
    }

    /// Keeps a tarball that is about to be replaced or removed; it is durable when this returns.
    ///
    /// What was kept under that name before stays: it is what stood there first.
    package func keep(_ file: StorePath, at path: FilePath) throws {
        let folder = directory(of: file.package).appending(Self.replaced)
        let directory = folder.appending(Self.flat(file.package))
        let kept = directory.appending(file.file.text)
        guard try files.status(of: kept) == nil else { return }
        if try files.createDirectory(directory) {
            try owner.own(directory, mode: 0o755)
            try files.syncDirectory(folder)
        }
        try SecondCopy.make(of: path, at: kept, owner: owner, files: files)
        try files.syncDirectory(directory)
    }

    /// Where a tarball that was replaced or removed is kept, proven where the generation is sealed; `nil` where it is not.
    package func kept(_ file: StorePath) throws -> FilePath? {
        let folder = directory(of: file.package).appending(Self.replaced)
        let path = folder.appending(Self.flat(file.package)).appending(file.file.text)
        guard let reader = try FileReader(opening: path) else { return nil }
        if let expected = try sums(of: directory(of: file.package))?[path], try SHA512.digest(of: reader) != expected {
            throw GenerationError.damaged(path)
        }
        return path
    }

    /// Says that the import has ended: from now on damage of the generation is noticed.
    package func seal(in storages: some Sequence<FilePath>) throws {
        let known = known.withLock { $0 }
        for storage in storages {
            let directory = storage.appending(Self.folder).appending(name.text)
            var text: [UInt8] = []
            for file in try GenerationFiles(in: directory, files: files).paths {
                let path = directory.appending(file)
                guard let digest = try known[path] ?? FileReader(opening: path).map({ try SHA512.digest(of: $0) }) else { continue }
                text.append(contentsOf: "\(digest.hex)  \(file)\n".utf8)
            }
            try files.replace(directory.appending(Self.sums), with: text)
            try owner.own(directory.appending(Self.sums), mode: 0o644)
        }
    }

    /// The writes of a package's packument, in their order.
    ///
    /// - Throws: `GenerationError.damaged` where what was kept is not what lies there.
    package func writes(of package: PackageName) throws -> [Write] {
        let folder = directory(of: package).appending(Self.packuments)
        var writes: [Write] = []
        var number = 1
        while let before = try contents(of: folder.appending(Self.before(package, number))) {
            // Cut off before both were durable, nothing was written.
            if let compressed = try contents(of: folder.appending(Self.after(package, number))),
                let after = try? ZstdBuffer.decompress(compressed, limit: StoredPackument.sizeLimit)
            {
                writes.append(Write(before: before, after: after))
            }
            number += 1
        }
        return writes
    }

    /// The tarballs that an interrupted import has brought of a package, as far as their versions are in the packument.
    ///
    /// - Parameters:
    ///   - carried: what its bundle carries.
    ///   - wasAbsent: whether the package was not here when the import came to it: then all that is here of it came so.
    package func brought(_ package: PackageName, carried: Set<FileName>, wasAbsent: Bool) throws -> Set<FileName> {
        if wasAbsent { return carried }
        var brought: Set<FileName> = []
        for write in try writes(of: package) where !write.after.isEmpty {
            let before = try StoredPackument(parsing: write.before, of: package).declared.map(\.file)
            let after = try StoredPackument(parsing: write.after, of: package).declared.map(\.file)
            brought.formUnion(Set(after).subtracting(before))
        }
        return brought.intersection(carried)
    }

    /// The packages of which a packument was replaced, in the physical storages, sorted.
    package func packages(in storages: some Sequence<FilePath>) throws -> [PackageName] {
        var packages: Set<PackageName> = []
        for storage in storages {
            let folder = storage.appending(Self.folder).appending(name.text).appending(Self.packuments)
            for file in try files.names(in: folder) ?? [] where file.hasSuffix(".before.json") {
                let parts = file.split(separator: "+").dropLast()
                if let package = PackageName(parts.joined(separator: "/")) { packages.insert(package) }
            }
        }
        return packages.sorted()
    }

    /// A file of the generation, proven where the generation is sealed; `nil` where there is none.
    private func contents(of path: FilePath) throws -> [UInt8]? {
        let expected = try sums(of: path.parent.parent)?[path]
        guard let bytes = try files.contents(of: path, limit: StoredPackument.sizeLimit) else {
            if expected != nil { throw GenerationError.damaged(path) }
            return nil
        }
        if let expected, SHA512.digest(of: bytes) != expected { throw GenerationError.damaged(path) }
        return bytes
    }

    /// The sums of a sealed generation, read once; `nil` where it is not sealed.
    private func sums(of directory: FilePath) throws -> [FilePath: SHA512Digest]? {
        try sealed.withLock { sealed in
            if let sums = sealed[directory] { return sums }
            let sums = try files.contents(of: directory.appending(Self.sums), limit: 1 << 30).map { bytes in
                var sums: [FilePath: SHA512Digest] = [:]
                for line in bytes.split(separator: 0x0A) {
                    guard line.count > 130, let digest = SHA512Digest(hexDigits: line.prefix(128)) else {
                        throw GenerationError.damaged(directory)
                    }
                    sums[directory.appending(String(decoding: line.dropFirst(130), as: UTF8.self))] = digest
                }
                return sums
            }
            sealed[directory] = .some(sums)
            return sums
        }
    }

    private let sealed = Mutex<[FilePath: [FilePath: SHA512Digest]?]>([:])

    private func directory(of package: PackageName) -> FilePath {
        layout.storageRoot(of: package).appending(Self.folder).appending(name.text)
    }

    /// The name a package's directory or files go by here.
    package static func flat(_ package: PackageName) -> String { String(package.text.map { $0 == "/" ? "+" : $0 }) }
    private static func before(_ package: PackageName, _ number: Int) -> String { "\(flat(package))+\(number).before.json" }
    private static func after(_ package: PackageName, _ number: Int) -> String { "\(flat(package))+\(number).after.zst" }
}

/// A generation that cannot be used.
///
/// Nothing was changed.
package enum GenerationError: Error, Equatable, CustomStringConvertible {
    /// A file of it is not what was kept.
    case damaged(FilePath)
    /// It was removed to make room, or lies elsewhere.
    case gone(String)

    package var description: String {
        switch self {
        case .damaged(let path): "\"\(path)\" is not what the import kept there"
        case .gone(let name): "the generation \(name) is not in this storage"
        }
    }
}
