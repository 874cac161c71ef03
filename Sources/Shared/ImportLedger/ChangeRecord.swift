package import Integrity
package import PackageStore

/// What one import made of one file.
package struct ChangeRecord: Sendable, Hashable {
    package let path: StorePath
    package let digest: SHA512Digest
    /// The version it is the tarball of, as far as that is known.
    package let version: PackageVersion?
    /// Bytes; `nil` where the bundle did not carry it.
    package let size: Int64?
    package let outcome: VersionOutcome
    /// Whether the bundle carried it.
    package let isCarried: Bool
    /// Whether it is here because of this import, so that undoing it takes the file away.
    package let isOwned: Bool
}

/// What became of one package when an import was undone.
package struct PackageUndoing: Sendable {
    package let package: PackageName
    /// The tarballs that went.
    package let removed: Set<FileName>
    /// The tarballs that the import had taken away and that came back.
    package let returned: [LeavingFile]
    /// Whether something of the package is still here.
    package let isLeft: Bool

    package init(package: PackageName, removed: Set<FileName>, returned: [LeavingFile] = [], isLeft: Bool) {
        self.package = package
        self.removed = removed
        self.returned = returned
        self.isLeft = isLeft
    }
}
