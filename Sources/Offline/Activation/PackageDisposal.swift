package import Backups
package import PackageStore
package import Platform
package import Staging
package import SystemPackage

/// Takes whole packages out of a storage, each in one rename.
package struct PackageDisposal: Sendable {
    private let layout: StorageLayout
    private let generation: Generation
    private let stage: StageArea
    private let files: any FileSystem

    /// - Parameter stage: a hidden directory of its own, where they go.
    package init(layout: StorageLayout, generation: Generation, stage: StageArea, files: any FileSystem) {
        self.layout = layout
        self.generation = generation
        self.stage = stage
        self.files = files
    }

    /// Takes a package away; what is neither its packument nor among `going` is put aside.
    ///
    /// - Parameter going: names of files that go.
    /// - Returns: where the rest was put aside, if there was any.
    package func takeAway(_ package: PackageName, _ directory: FilePath, going: Set<String>) throws -> String? {
        let ours: Set<String> = ["package.json", "package.json.lock", LockJournal.draftName, PackageLock.draftName]
        let strangers = try (files.names(in: directory) ?? []).filter { !ours.contains($0) && !going.contains($0) }
        let flat = Generation.flat(package)
        let folder = strangers.isEmpty ? stage.root(for: package) : area.folder(of: package, generation.name)
        let place = folder.appending(strangers.isEmpty ? flat : "\(flat)+aside")
        try area.make(folder, owner: stage.ownership(files))
        try files.removeTree(place)
        try files.rename(directory, to: place)
        // Only when no power cut can bring the directory back may what lies in it go.
        try files.syncDirectory(folder)
        try files.syncDirectory(directory.parent)
        guard strangers.isEmpty else {
            for name in going.union(ours) where name != "package.json" { _ = try files.remove(place.appending(name)) }
            return place.string
        }
        try files.removeTree(place)
        return nil
    }

    private var area: QuarantineArea { QuarantineArea(layout: layout, files: files) }
}
