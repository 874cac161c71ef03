package import Integrity
package import PackageStore

/// What a destination lacks of a state that it has otherwise (FORMAT.md §5.2).
package struct LackingFiles: Sendable {
    private let files: [StorePath: SHA512Digest]
    private let packages: Set<PackageName>

    package init(_ files: some Sequence<(StorePath, SHA512Digest)> = [] as [(StorePath, SHA512Digest)]) {
        self.files = Dictionary(files.map { ($0.0, $0.1) }) { first, _ in first }
        packages = Set(self.files.keys.map(\.package))
    }

    package var isEmpty: Bool { files.isEmpty }
    package var count: Int { files.count }

    /// Whether a file of the target that is the baseline's, too, is to be carried all the same: it is lacking, or it is the packument of a
    /// package of which something is.
    package func covers(_ file: SnapshotFile) -> Bool {
        files[file.path] == file.digest || (file.path.file.isPackument && packages.contains(file.path.package))
    }
}
