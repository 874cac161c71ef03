import BundleFormat
package import ImportLedger
package import Integrity
package import PackageStore
import Platform
package import Snapshots
import SystemPackage

/// What a bundle builds upon, checked by content against the storage and the applied view (FORMAT.md §10, last line).
///
/// A file that is not carried is held when the storage has it as it was given. What was refused here, or removed here, is no gap;
/// what is merely gone is one, since a storage that was wiped or restored from a backup looks the same.
package struct Prerequisites: Sendable {
    /// What one package lacks.
    package struct Result: Sendable {
        /// The files that are neither carried nor held.
        package var missing: [StorePath] = []
        /// What stands in the place of some of them, and is no tarball.
        package var obstructions: [Obstruction] = []
        /// What was given and then removed here, as far as the ledger does not say so yet.
        package var removed: [DeliveryRecord] = []
    }

    private let layout: StorageLayout
    private let ledger: Ledger
    private let origin: Identifier
    private let acceptsRemovals: Bool

    /// - Parameter acceptsRemovals: take everything that was given and is gone for removed on purpose.
    package init(layout: StorageLayout, ledger: Ledger, origin: Identifier, acceptsRemovals: Bool) {
        self.layout = layout
        self.ledger = ledger
        self.origin = origin
        self.acceptsRemovals = acceptsRemovals
    }

    /// Compares one package's target state with what is carried and what is here.
    package func check(_ package: PackageName, target: [FileName: SHA512Digest], carried: Set<FileName>) throws -> Result {
        var result = Result()
        guard target.contains(where: { !carried.contains($0.key) }) else { return result }
        let view = try ledger.views(of: [package], origin: origin)[package]
        let state = PackageState(package, layout: layout, view: view ?? .empty)
        for (file, digest) in target where !file.isPackument && !carried.contains(file) {
            let given = state.given(file, digest)
            if let given, given.outcome.isRefusal || given.outcome == .removed { continue }
            if try state.holds(file, digest, given: given) { continue }
            if let given, given.outcome.isTaken, try acceptsRemovals || state.wasRemoved(file) {
                result.removed.append(
                    DeliveryRecord(path: StorePath(package, file), digest: digest, size: given.size, outcome: .removed))
            } else {
                result.missing.append(StorePath(package, file))
                if let obstruction = try state.obstruction(at: file) { result.obstructions.append(obstruction) }
            }
        }
        if let digest = target[.packument], !carried.contains(.packument) {
            let gone = Set(result.removed.map(\.path.file))
            let expected = target.filter { file, digest in
                let outcome = state.given(file, digest)?.outcome
                return !file.isPackument && !gone.contains(file) && outcome?.isRefusal != true && outcome != .removed
            }
            if try !expected.isEmpty && !state.holdsPackument(digest, naming: expected.keys) {
                result.missing.append(StorePath(package, .packument))
            }
        }
        result.missing.sort()
        return result
    }

    /// Whether everything that a bundle carries of packages is here as it was given, and their packuments go back to that.
    package func holds(_ packages: [(package: PackageName, carried: [SnapshotFile])]) throws -> Bool {
        let views = try ledger.views(of: packages.map(\.package), origin: origin)
        return try packages.allSatisfy { package, carried in
            try holds(PackageState(package, layout: layout, view: views[package] ?? .empty), carried)
        }
    }

    private func holds(_ state: PackageState, _ carried: [SnapshotFile]) throws -> Bool {
        var expected: [FileName] = []
        var isGone = false
        for file in carried where !file.path.file.isPackument {
            let outcome = state.given(file.path.file, file.digest)?.outcome
            if outcome?.isGone == true { isGone = true }
            if outcome == .removed || outcome?.isGone == true { continue }
            guard try state.measures(file.path.file, file.digest) else { return false }
            expected.append(file.path.file)
        }
        // A package of which a later bundle took all has no packument to look for.
        if expected.isEmpty, isGone { return true }
        return try state.descends() && state.declares(expected)
    }
}

/// One package as it lies here, and what the ledger says of it.
private final class PackageState {
    private let package: PackageName
    private let directory: FilePath
    private let view: AppliedView
    private let files = DiskFileSystem()
    /// Read when it is first asked for; `nil` inside where there is none that can be read.
    private var packument: StoredPackument??

    init(_ package: PackageName, layout: StorageLayout, view: AppliedView) {
        self.package = package
        directory = layout.directory(of: package)
        self.view = view
    }

    func given(_ file: FileName, _ digest: SHA512Digest) -> DeliveryRecord? {
        view.deliveries.first { $0.path.file == file && $0.digest == digest }
    }

    /// Whether a tarball is here: by its size where the ledger knows that it was placed, else by its digest.
    func holds(_ file: FileName, _ digest: SHA512Digest, given: DeliveryRecord?) throws -> Bool {
        guard let given, given.outcome.isTaken, let size = given.size else { return try measures(file, digest) }
        guard let status = try files.status(of: directory.appending(file.text)) else { return false }
        return status.kind == .file && status.identity.size == size
    }

    /// Whether a tarball is here with that digest.
    func measures(_ file: FileName, _ digest: SHA512Digest) throws -> Bool {
        do {
            guard let reader = try FileReader.tarball(at: directory.appending(file.text)) else { return false }
            return try SHA512.digest(of: reader) == digest
        } catch is Obstruction {
            return false
        }
    }

    /// What stands in the place of a tarball, and is none.
    func obstruction(at file: FileName) throws -> Obstruction? {
        let path = directory.appending(file.text)
        return try files.status(of: path).flatMap { $0.kind == .file ? nil : Obstruction(path, $0.kind) }
    }

    /// Whether the packument is the one the import left, or a later one that names these tarballs.
    func holdsPackument(_ digest: SHA512Digest, naming tarballs: some Sequence<FileName>) throws -> Bool {
        guard let applied = view.form, applied.digest == digest else { return false }
        if try files.status(of: directory.appending("package.json"))?.identity == applied.identity { return true }
        return try declares(tarballs)
    }

    /// Whether the packument can be read and names these tarballs.
    func declares(_ tarballs: some Sequence<FileName>) throws -> Bool {
        guard let stored = try stored() else { return false }
        let named = Set(stored.declared.map(\.file))
        return tarballs.allSatisfy(named.contains)
    }

    /// Whether the packument is the one the last import left, or was written over it.
    func descends() throws -> Bool {
        guard let applied = view.form, let stored = try stored() else { return false }
        return stored.object.revision.follows(applied.revision)
    }

    /// Whether a tarball that was given was removed on purpose: the packument was written over the one that named it, and does not.
    func wasRemoved(_ file: FileName) throws -> Bool {
        guard try descends(), let stored = try stored() else { return false }
        return !stored.declared.contains { $0.file == file }
    }

    private func stored() throws -> StoredPackument? {
        if let packument { return packument }
        var stored: StoredPackument?
        do { stored = try files.packument(in: directory).map { try StoredPackument(parsing: $0, of: package) } } catch is PackumentError {}
        packument = .some(stored)
        return stored
    }
}
