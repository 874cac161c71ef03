package import Backups
package import PackageStore
package import Platform
package import Staging
package import SystemPackage

/// Brings a whole package into a storage that has none of it, in one rename, out of files that lie elsewhere on the same file system.
package struct WholePlacement: Sendable {
    private let layout: StorageLayout
    private let stage: StageArea
    private let files: any FileSystem

    /// - Parameter stage: a hidden directory of its own, where the package is put together.
    package init(layout: StorageLayout, stage: StageArea, files: any FileSystem) {
        self.layout = layout
        self.stage = stage
        self.files = files
    }

    /// Places a package, which is durable when this returns; `false` where something stands in its place.
    ///
    /// - Parameters:
    ///   - packument: names just these tarballs.
    ///   - tarballs: where each lies; it stays there.
    package func place(
        _ package: PackageName, _ packument: [UInt8], tarballs: [(file: FileName, path: FilePath)], at directory: FilePath
    ) throws -> Bool {
        let place = stage.root(for: package).appending(Generation.flat(package))
        let owner = stage.ownership(files)
        try files.removeTree(place)
        try QuarantineArea(layout: layout, files: files).make(place, owner: owner)
        for (file, path) in tarballs { try SecondCopy.make(of: path, at: place.appending(file.text), owner: owner, files: files) }
        try files.write(packument, to: place.appending("package.json"))
        try stage.own(place.appending("package.json"), mode: 0o644, files: files)
        try files.sync(place.appending("package.json"))
        try files.syncDirectory(place)
        let parent = directory.parent
        if package.scope != nil, try files.createDirectory(parent) { try stage.own(parent, mode: 0o755, files: files) }
        guard try files.renameWithoutReplacing(place, to: directory) else { return false }
        try files.syncDirectory(parent)
        // The scope's own name is durable with the directory that it is in.
        if package.scope != nil { try files.syncDirectory(parent.parent) }
        return true
    }
}

extension FileSystem {
    /// Whether the packument of a package names all of these versions; not, where it cannot be read.
    ///
    /// Verdaccio creates a package without a lock: where it found no directory just before one came, its own packument replaces the one that
    /// came in there. So what came is looked at once more, after something else was made durable, before its other copy goes.
    package func declares(_ versions: some Sequence<PackageVersion>, in directory: FilePath, of package: PackageName) throws -> Bool {
        do {
            let declared = Set(try StoredPackument(parsing: packument(in: directory) ?? [], of: package).declared.map(\.version))
            return versions.allSatisfy(declared.contains)
        } catch is PackumentError { return false }
    }
}

extension StageArea {
    /// Gives what is made outside of the stage to the storage's owner.
    package func ownership(_ files: any FileSystem) -> Generation.Owner {
        Generation.Owner { path, mode throws(FileSystemError) in try own(path, mode: mode, files: files) }
    }
}
