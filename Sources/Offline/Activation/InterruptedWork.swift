package import PackageStore
package import Platform
import Staging
package import SystemPackage

/// What an import or a rollback that was killed has left in the storage: hidden directories, and the lock it held.
package struct InterruptedWork: Sendable {
    private let layout: StorageLayout
    private let state: FilePath
    private let files: any FileSystem

    package init(layout: StorageLayout, state: FilePath, files: any FileSystem) {
        self.layout = layout
        self.state = state
        self.files = files
    }

    /// Removes it.
    ///
    /// To be called under the lock of the state and that of the storage.
    package func clear() throws {
        try LockJournal(ofState: state, files: files).recover()
        try StageJournal(ofState: state, files: files).recover()
        try StageArea.removeLeftovers(in: layout.root, files: files)
    }
}
