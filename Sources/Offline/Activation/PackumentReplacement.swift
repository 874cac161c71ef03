package import PackageStore
package import Platform
package import Staging
package import SystemPackage

/// Puts a packument in its place under Verdaccio's lock.
///
/// After a kill or a power cut at any moment the old one stands, or the new one; a draft that is left beside it is the lock journal's to remove.
package struct PackumentReplacement: Sendable {
    private let stage: StageArea
    private let files: any FileSystem

    /// - Parameter stage: knows whose the storage is.
    package init(_ stage: StageArea, files: any FileSystem) {
        self.stage = stage
        self.files = files
    }

    /// Writes `package.json` of a directory; durable when it returns.
    ///
    /// - Parameter beforehand: done when the draft is whole, before it takes its place.
    /// - Returns: `false` where the lock was lost on the way, and then the old one stands.
    package func put(
        _ bytes: [UInt8], in directory: FilePath, under lock: PackageLock, beforehand: () throws -> Void = {}
    ) throws -> Bool {
        let draft = directory.appending(LockJournal.draftName)
        defer { _ = try? files.remove(draft) }
        try files.write(bytes, to: draft)
        try stage.own(draft, mode: 0o644, files: files)
        try files.sync(draft)
        try beforehand()
        guard try lock.isHeld() else { return false }
        try files.rename(draft, to: directory.appending("package.json"))
        try files.syncDirectory(directory)
        return true
    }
}
