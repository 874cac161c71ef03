package import BundleFormat
package import Integrity
package import PackageStore
package import Platform
package import Snapshots
package import SystemPackage

/// Makes a bundle below `artifacts/<bundle id>/` of the state: as a draft first, complete when it bears its id.
package struct BundleBuilder: Sendable {
    /// Why no bundle is made.
    ///
    /// Nothing was written.
    package enum Refusal: Error, Equatable, CustomStringConvertible {
        case noSnapshot(String)
        case unsettled(SnapshotID)
        case noSpace(needed: Int64, free: Int64)
        /// What it would carry is damaged, as a check has found since the snapshot was taken.
        case damaged([StorePath])
        /// The catalog lists the bundle, and its archive is gone.
        case noArtifact(Identifier)
        /// Its archive was removed to make room; `again` is the command that makes it anew, where its snapshots are still there.
        case pruned(Identifier, Timestamp, again: String?)

        package var description: String {
            switch self {
            case .noSnapshot(let id): "there is no snapshot \"\(id)\"; see \"ferry-online snapshots\""
            case .unsettled(let id):
                "the storage kept changing while snapshot \(id) was taken; take another, or allow it with --allow-unsettled"
            case .noSpace(let needed, let free): "the bundle needs about \(needed) bytes, and \(free) are free"
            case .damaged(let paths):
                "\(paths.count) tarballs of the snapshot are damaged: "
                    + paths.prefix(20).map { "\"\($0)\"" }.joined(separator: ", ") + (paths.count > 20 ? ", …" : "")
            case .noArtifact(let id): "the archive of bundle \(id) is gone from the state's artifacts; make the bundle again"
            case .pruned(let id, let moment, let again):
                "the archive of bundle \(id) was pruned at \(moment) to make room; "
                    + (again.map { "make it again with \"\($0)\"" }
                        ?? "its snapshots are gone, too: take one with \"ferry-online snapshot\" and bundle that")
            }
        }
    }

    private let layout: StorageLayout
    private let store: SnapshotStore
    private let artifacts: FilePath
    private let known: Set<Identifier>
    private let damaged: Set<SHA512Digest>
    private let progress: @Sendable (Int, Int, Int64) -> Void

    /// - Parameters:
    ///   - known: the bundles that were recorded; others below `artifacts` are the rest of killed runs.
    ///   - damaged: the digests of bytes that are known to be damaged; no bundle carries them.
    package init(
        layout: StorageLayout, store: SnapshotStore, artifacts: FilePath, known: Set<Identifier>, damaged: Set<SHA512Digest> = [],
        progress: @escaping @Sendable (Int, Int, Int64) -> Void = { _, _, _ in }
    ) {
        self.layout = layout
        self.store = store
        self.artifacts = artifacts
        self.known = known
        self.damaged = damaged
        self.progress = progress
    }

    /// Where a bundle lies.
    package func directory(of bundle: Identifier) -> FilePath { artifacts.appending(bundle.text) }

    /// Removes a bundle that could not be recorded.
    package func remove(_ bundle: Identifier) throws { try DiskFileSystem().removeTree(directory(of: bundle)) }

    /// Opens a snapshot or refuses with its name.
    package func open(_ id: SnapshotID) throws -> SnapshotReader {
        guard let reader = try store.open(id) else { throw Refusal.noSnapshot(id.text) }
        return reader
    }

    /// Writes the bundle that leads from one snapshot, or from nothing, to another.
    ///
    /// - Parameter lacking: what of the baseline its destination is known to lack; it is carried, too.
    /// - Throws: `Refusal`, `BundleError`, `FileSystemError`; the draft is then removed.
    package func build(
        from baseline: SnapshotReader?, to target: SnapshotReader, lacking: LackingFiles = LackingFiles(), envelope: BundleWriter.Envelope,
        allowsUnsettled: Bool
    ) throws -> BundleWriter.Written {
        guard target.header.isSettled || allowsUnsettled else { throw Refusal.unsettled(target.header.id) }
        let files = DiskFileSystem()
        try files.createDirectories(artifacts)
        try removeLeftovers()
        try refuse(baseline: baseline, target: target, lacking: lacking)
        let draft = artifacts.appending(".\(envelope.bundle).draft")
        _ = try files.createDirectory(draft)
        do {
            let writer = BundleWriter(layout: layout, store: store, progress: progress)
            let written = try writer.write(from: baseline, to: target, lacking: lacking, into: draft, envelope: envelope)
            let final = directory(of: envelope.bundle)
            try files.rename(draft, to: final)
            try files.syncDirectory(artifacts)
            let name = written.path.lastComponent?.string ?? ""
            return BundleWriter.Written(descriptor: written.descriptor, path: final.appending(name), size: written.size)
        } catch {
            try? files.removeTree(draft)
            throw error
        }
    }

    /// Drafts, and bundles that were never recorded: what a killed run left.
    ///
    /// The caller holds the lock of the state, so nobody else writes one.
    private func removeLeftovers() throws {
        let files = DiskFileSystem()
        for name in try files.names(in: artifacts) ?? [] {
            let isDraft = name.hasPrefix(".b-") && name.hasSuffix(".draft")
            let isUnknown = Identifier(name, .bundle).map { !known.contains($0) } ?? false
            if isDraft || isUnknown { try files.removeTree(artifacts.appending(name)) }
        }
    }

    /// Refuses what is damaged, and what the disk has no room for.
    private func refuse(baseline: SnapshotReader?, target: SnapshotReader, lacking: LackingFiles) throws {
        var bytes: Int64 = 0
        var lines: Int64 = 0
        var broken: [StorePath] = []
        try forEachChange(from: baseline, to: target, lacking: lacking) { change in
            if let file = change.target, damaged.contains(file.digest) { broken.append(file.path) }
            bytes += change.target?.size ?? 0
            lines += 1
        }
        guard broken.isEmpty else { throw Refusal.damaged(broken) }
        // Tarballs do not shrink; manifest, sums and target state are lines of some 350 bytes, once plain and once packed.
        let needed = bytes + (lines + Int64(target.header.counts.files)) * 700 + 8 << 20
        let free = try FileSystemSpace(holding: artifacts).freeBytes
        guard free >= needed else { throw Refusal.noSpace(needed: needed, free: free) }
    }
}
