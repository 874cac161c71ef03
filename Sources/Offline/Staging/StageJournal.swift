package import Platform
package import SystemPackage

/// Which stages this importer made, so that the next run removes those of one that was killed, wherever they lie.
package struct StageJournal: Sendable {
    private let path: FilePath
    private let files: any FileSystem
    private static let sizeLimit = 1 << 20

    /// The journal of a state directory.
    package init(ofState state: FilePath, files: any FileSystem) {
        path = state.appending("stage.journal")
        self.files = files
    }

    /// Notes a stage that is about to be made.
    package func note(_ stage: FilePath) throws(FileSystemError) {
        let known = try files.contents(of: path, limit: Self.sizeLimit) ?? []
        try files.replace(path, with: known + Array("\(stage)\n".utf8))
    }

    /// Removes the stages that are noted, and the notes.
    package func recover() throws(FileSystemError) {
        guard let bytes = try files.contents(of: path, limit: Self.sizeLimit) else { return }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let stage = FilePath(String(line))
            if StageArea.isStage(stage) { try files.removeTree(stage) }
        }
        _ = try files.remove(path)
    }
}
