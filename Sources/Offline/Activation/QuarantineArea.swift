package import Backups
import CanonicalJSON
import Integrity
package import PackageStore
package import Platform
package import SystemPackage

/// Versions that imports took out of a storage and that may come back.
///
/// ```
/// <physical storage>/.ferry-quarantine/<generation>/<package>/package.json, tarballs
/// ```
///
/// What was taken of a package lies there as a storage would hold it by itself. The `/` of a package's name is a `+` here.
package struct QuarantineArea: Sendable {
    /// A version that is quarantined.
    package struct Entry: Sendable {
        package let package: PackageName
        package let version: DeclaredVersion
        package let generation: GenerationName
        /// Where its tarball lies.
        package let path: FilePath
        /// Bytes.
        package let size: Int64
    }

    static let name = ".ferry-quarantine"
    private let layout: StorageLayout
    private let files: any FileSystem

    package init(layout: StorageLayout, files: any FileSystem) {
        self.layout = layout
        self.files = files
    }

    /// Where what an import took of a package lies.
    package func directory(of package: PackageName, _ generation: GenerationName) -> FilePath {
        folder(of: package, generation).appending(Generation.flat(package))
    }

    func folder(of package: PackageName, _ generation: GenerationName) -> FilePath {
        layout.storageRoot(of: package).appending(Self.name).appending(generation.text)
    }

    /// Makes a directory and the one it is in, for the storage's owner.
    func make(_ path: FilePath, owner: Generation.Owner) throws {
        for directory in [path.parent, path] where try files.createDirectory(directory) {
            try owner.own(directory, mode: 0o755)
            try files.syncDirectory(directory.parent)
        }
    }

    /// Gives tarballs that are about to be taken out of a package a second name here, and keeps what is said of them; durable when this returns.
    ///
    /// - Parameter taken: the packument of just their versions.
    func add(
        _ tarballs: [FileName], of package: PackageName, in directory: FilePath, taken: JSONObject, generation: GenerationName,
        owner: Generation.Owner
    ) throws {
        let place = self.directory(of: package, generation)
        try make(place.parent, owner: owner)
        try make(place, owner: owner)
        for file in tarballs {
            try SecondCopy.make(of: directory.appending(file.text), at: place.appending(file.text), owner: owner, files: files)
        }
        var document = taken
        if let known = try packument(in: place, of: package) {
            let new = Set(try StoredPackument(reading: taken, of: package).declared.map(\.version))
            let both = PackumentReturn(
                of: Set(known.declared.map(\.version)).subtracting(new), from: known, into: try StoredPackument(reading: taken, of: package)
            )
            document = both.document
        }
        try files.replace(place.appending("package.json"), with: JSONValue.object(document).canonicalBytes)
        try owner.own(place.appending("package.json"), mode: 0o644)
        try files.syncDirectory(place)
    }

    /// What is quarantined, and what of it cannot be let back.
    package struct Contents: Sendable {
        /// Sorted by package, then by version, then oldest first.
        package fileprivate(set) var entries: [Entry] = []
        /// What is not as it was put there: a packument that cannot be read, something else in the place of a tarball.
        package fileprivate(set) var damage: [(package: PackageName, path: FilePath)] = []
    }

    /// Everything that is quarantined in these physical storages.
    package func contents(in storages: some Sequence<FilePath>) throws -> Contents {
        var contents = Contents()
        for storage in storages {
            let folder = storage.appending(Self.name)
            for text in try files.names(in: folder) ?? [] {
                guard let generation = GenerationName(text) else { continue }
                for name in try files.names(in: folder.appending(text)) ?? [] where !name.hasSuffix("+aside") {
                    guard let package = PackageName(String(name.map { $0 == "+" ? "/" : $0 })) else { continue }
                    try look(into: folder.appending(text).appending(name), package, generation, &contents)
                }
            }
        }
        contents.entries.sort {
            ($0.package, $0.version.version, $0.generation) < ($1.package, $1.version.version, $1.generation)
        }
        return contents
    }

    private func look(
        into directory: FilePath, _ package: PackageName, _ generation: GenerationName, _ contents: inout Contents
    ) throws {
        let tarballs = try TarballListing(of: directory, files: files)
        contents.damage += tarballs.obstructions.map { (package, $0.path) }
        guard let packument = try packument(in: directory, of: package) else {
            if !tarballs.sizes.isEmpty { contents.damage.append((package, directory.appending("package.json"))) }
            return
        }
        for version in packument.declared {
            guard let size = tarballs.sizes[version.file] else { continue }
            let path = directory.appending(version.file.text)
            contents.entries.append(Entry(package: package, version: version, generation: generation, path: path, size: size))
        }
    }

    /// Forgets what stands of a package without any tarball in these physical storages: what a release that was interrupted leaves.
    package func sweep(_ package: PackageName, in storages: some Sequence<FilePath>) throws {
        for storage in storages {
            for text in try files.names(in: storage.appending(Self.name)) ?? [] {
                guard let generation = GenerationName(text), try files.status(of: directory(of: package, generation)) != nil else {
                    continue
                }
                try forget([], of: package, generation)
            }
        }
    }

    /// What is said of the versions in a directory of the quarantine; `nil` where that cannot be read.
    package func packument(in directory: FilePath, of package: PackageName) throws -> StoredPackument? {
        do { return try files.packument(in: directory).map { try StoredPackument(parsing: $0, of: package) } } catch is PackumentError {
            return nil
        }
    }

    /// Forgets tarballs that an import took of a package, and what is empty then.
    package func forget(_ tarballs: some Sequence<FileName>, of package: PackageName, _ generation: GenerationName) throws {
        let place = directory(of: package, generation)
        for file in tarballs { _ = try files.remove(place.appending(file.text)) }
        let left = try (files.names(in: place) ?? []).contains { FileName($0)?.isPackument == false }
        guard !left else { return }
        try files.removeTree(place)
        let folder = place.parent
        for directory in [folder, folder.parent] {
            guard try files.names(in: directory)?.isEmpty ?? true else { return }
            _ = try files.remove(directory)
        }
    }
}
