package import Backups
import CanonicalJSON
import Glibc
package import ImportLedger
package import Integrity
package import PackageStore
package import Platform
package import Snapshots
package import Staging
import SystemPackage

/// Brings one staged package into the storage, under Verdaccio's lock where the package is here already.
///
/// At every moment Verdaccio serves the old or the new state of the package: tarballs are in place before the packument that names
/// them, a new package appears in one rename.
package struct PackageApplier: Sendable {
    /// Something that was offered and not taken, and why.
    package struct Refusal: Sendable, Hashable {
        /// A package, or a version of one.
        package let subject: String
        package let reason: String
    }

    /// What became of a package.
    package struct Result: Sendable {
        package let delivery: PackageDelivery
        package let refusals: [Refusal]
    }

    /// A file that was here or staged when the bundle was checked, and is neither now.
    ///
    /// The package is in its old state.
    package struct Lost: Error, CustomStringConvertible {
        package let path: StorePath

        package var description: String { "\"\(path)\" vanished while the bundle was applied; does something else change the storage?" }
    }

    private let layout: StorageLayout
    private let stage: StageArea
    private let ledger: Ledger
    private let origin: Identifier
    private let policy: PackumentMerge.Policy
    private let files: any FileSystem
    private let clock: WallClock
    private let patience: PackageLock.Patience
    private let journal: LockJournal
    private let generation: Generation
    private static let attempts = 5

    /// - Parameter generation: gets what is replaced, before it is.
    package init(
        layout: StorageLayout, stage: StageArea, ledger: Ledger, origin: Identifier, policy: PackumentMerge.Policy,
        files: any FileSystem, clock: WallClock, patience: PackageLock.Patience, journal: LockJournal, generation: Generation
    ) {
        self.layout = layout
        self.stage = stage
        self.generation = generation
        self.ledger = ledger
        self.origin = origin
        self.policy = policy
        self.files = files
        self.clock = clock
        self.patience = patience
        self.journal = journal
    }

    /// Applies one package whose files are staged.
    ///
    /// - Parameters:
    ///   - target: the digest the origin's target gives each file of the package.
    ///   - carried: the files that are staged.
    ///   - view: what the ledger knows of the package.
    ///   - past: what an interrupted try of this import may have done.
    /// - Throws: `FileSystemError`, `PackageLock.Busy`, `Lost`; the package is then in its old or its new state, and applying again completes it.
    package func apply(
        _ package: PackageName, target: [FileName: SHA512Digest], carried: [SnapshotFile], view: AppliedView, past: Past = .nothing
    ) throws -> Result {
        let staged = stage.directory(of: package)
        guard let bytes = try files.contents(of: staged.appending("package.json"), limit: StoredPackument.sizeLimit) else {
            throw FileSystemError("read the staged packument of \(package) at", staged, .noSuchFileOrDirectory)
        }
        let directory = layout.directory(of: package)
        let task = Task(
            package: package, bytes: bytes, target: target, staged: staged,
            sizes: Dictionary(uniqueKeysWithValues: carried.map { ($0.path.file, $0.size) }),
            versions: Dictionary(uniqueKeysWithValues: carried.compactMap { file in file.version.map { (file.path.file, $0) } }),
            directory: directory, view: view, past: past)
        if try files.status(of: directory) == nil, let result = try placeNew(task) { return result }
        for _ in 0..<Self.attempts {
            if let result = try journal.oneAtATime({ try merge(task) }) { return result }
        }
        throw PackageLock.Busy(path: directory.appending("package.json.lock"))
    }

    /// What an interrupted try of the same import may have done to a package.
    package enum Past: Sendable {
        /// There was none.
        case nothing
        /// The package was not here when it came to it.
        case mayHavePlaced
        /// The package was here.
        case mayHaveMerged
    }

    /// One package being applied.
    private struct Task {
        let package: PackageName
        let bytes: [UInt8]
        let target: [FileName: SHA512Digest]
        let staged: FilePath
        /// Of the files that are staged, in bytes.
        let sizes: [FileName: Int64]
        /// Of the tarballs that are staged.
        let versions: [FileName: PackageVersion]
        let directory: FilePath
        let view: AppliedView
        let past: Past

        var stagedTarballs: Set<FileName> { Set(sizes.keys).subtracting([.packument]) }

        /// The form, which staging has proven; it names just the tarballs of the target.
        func form() throws -> TransferForm { try TransferForm(proven: bytes, of: package) }
    }

    /// A package that is not here: its directory comes in one rename.
    ///
    /// `nil` where it appeared meanwhile.
    private func placeNew(_ task: Task) throws -> Result? {
        let staged = Set(try files.names(in: task.staged) ?? [])
        if let lost = task.sizes.keys.first(where: { !staged.contains($0.text) }) { throw Lost(path: StorePath(task.package, lost)) }
        var outcomes = task.target.filter { !$0.key.isPackument }.mapValues { _ in VersionOutcome.added }
        var revision = TransferForm.revision
        let packument = task.staged.appending("package.json")
        if !Set(outcomes.keys).isSubset(of: task.stagedTarballs)
            || task.view.deliveries.contains(where: { $0.outcome == .removed || $0.outcome.isGone })
        {
            let merged = PackumentMerge(
                try task.form(), into: nil, base: nil, tarballs: tarballs(of: task, present: [:]), policy: policy)
            try refuseLoss(task, merged.outcomes)
            outcomes = merged.outcomes
            guard outcomes.values.contains(.added) else { return try result(task, outcomes, applied: nil) }
            try files.replace(packument, with: JSONValue.object(merged.document).canonicalBytes)
            try own(packument, mode: 0o644)
            for file in task.stagedTarballs where outcomes[file] != .added { _ = try files.remove(task.staged.appending(file.text)) }
            revision = merged.document.revision
        }
        if let scope = task.package.scope {
            let directory = layout.storageRoot(of: task.package).appending(String(scope))
            if try files.createDirectory(directory) { try own(directory, mode: 0o755) }
        }
        // As it comes, whatever a registry that is creating the package just now makes of it.
        let applied = try appliedForm(task, revision, at: packument)
        guard try files.renameWithoutReplacing(task.staged, to: task.directory) else { return nil }
        return try result(task, outcomes, applied: applied)
    }

    /// A package that is here: read, decide and write under its lock.
    ///
    /// `nil` where the lock was lost on the way, or the directory changed since it was read.
    private func merge(_ task: Task) throws -> Result? {
        let lock = try PackageLock(directory: task.directory, files: files, clock: clock, patience: patience) {
            try journal.note($0, $1)
        }
        defer { try? lock.release() }
        let packument = task.directory.appending("package.json")
        let replaced: [UInt8]?
        let local: StoredPackument?
        let present: [FileName: SHA512Digest?]
        do {
            replaced = try files.packument(in: task.directory)
            local = try replaced.map { try StoredPackument(parsing: $0, of: task.package) }
            present = try measure(task)
        } catch let error as PackumentError {
            return refused(task, "\(error); repair or remove its package.json, then import again")
        } catch let obstruction as Obstruction {
            return refused(task, "\(obstruction); the package stays as it was: move that away, then import again")
        }
        var policy = self.policy
        if task.view.wasBrought { policy.adoptsLocalPackages = true }
        let merged = PackumentMerge(
            try task.form(), into: local, base: try base(task, local), tarballs: tarballs(of: task, present: present), policy: policy)
        try refuseLoss(task, merged.outcomes)
        for file in merged.place {
            let isPlaced = try files.renameWithoutReplacing(
                task.staged.appending(file.text), to: task.directory.appending(file.text))
            guard isPlaced else { return nil }
        }
        for file in merged.heal { try heal(file, task) }
        if !merged.place.isEmpty || !merged.heal.isEmpty { try files.syncDirectory(task.directory) }
        if merged.isChanged {
            let bytes = JSONValue.object(merged.document).canonicalBytes
            let isPut = try PackumentReplacement(stage, files: files).put(bytes, in: task.directory, under: lock) {
                if let replaced { try generation.keep(task.package, at: packument, holding: replaced, replacedBy: bytes) }
            }
            guard isPut else { return nil }
        }
        let outcomes = try settled(merged.outcomes, task)
        let applied = try appliedForm(task, merged.document.revision, at: packument)
        return try result(task, outcomes, applied: applied)
    }

    /// What is held because an interrupted try of this import brought it is what this import brought.
    private func settled(_ outcomes: [FileName: VersionOutcome], _ task: Task) throws -> [FileName: VersionOutcome] {
        guard task.past != .nothing, outcomes.values.contains(.held) else { return outcomes }
        let brought = try generation.brought(
            task.package, carried: task.stagedTarballs, wasAbsent: task.past == .mayHavePlaced)
        return outcomes.reduce(into: outcomes) { result, entry in
            if entry.value == .held, brought.contains(entry.key) { result[entry.key] = .added }
        }
    }

    /// The form the packument here goes back to; `nil` where it does not, such as after a backup was restored.
    private func base(_ task: Task, _ local: StoredPackument?) throws -> JSONObject? {
        guard let local, let applied = task.view.form, local.object.revision.follows(applied.revision) else { return nil }
        return try ledger.form(of: task.package, origin: origin).flatMap { try JSONParser.parse($0, mode: .strict).object }
    }

    private func refuseLoss(_ task: Task, _ outcomes: [FileName: VersionOutcome]) throws {
        guard let file = outcomes.filter({ $0.value == .absent }).keys.min() else { return }
        throw Lost(path: StorePath(task.package, file))
    }

    private func appliedForm(_ task: Task, _ revision: PackumentRevision, at packument: FilePath) throws -> AppliedForm {
        guard let identity = try files.status(of: packument)?.identity, let digest = task.target[.packument]
        else { throw Lost(path: StorePath(task.package, .packument)) }
        return AppliedForm(digest: digest, revision: revision, identity: identity)
    }

    /// A package that cannot be worked with: nothing of it is given.
    private func refused(_ task: Task, _ reason: String) -> Result {
        Result(
            delivery: PackageDelivery(package: task.package, files: []), refusals: [Refusal(subject: task.package.text, reason: reason)])
    }

    /// The tarballs that are here: measured where the decision needs it, taken on the ledger's word elsewhere.
    ///
    /// - Throws: `Obstruction` where something else stands in the place of one that the origin gives.
    private func measure(_ task: Task) throws -> [FileName: SHA512Digest?] {
        var present: [FileName: SHA512Digest?] = [:]
        let here = try TarballListing(of: task.directory, files: files)
        let isGiven = { (obstruction: Obstruction) in FileName(obstruction.path.name).map { task.target[$0] != nil } ?? false }
        if let obstruction = here.obstructions.first(where: isGiven) { throw obstruction }
        for file in here.files {
            let path = task.directory.appending(file.text)
            let isKnown = task.view.deliveries.contains { $0.path.file == file && $0.digest == task.target[file] && $0.outcome.isTaken }
            let mustMeasure = task.stagedTarballs.contains(file) || (task.target[file] != nil && !isKnown)
            present[file] = mustMeasure ? .some(try FileReader(opening: path).map { try SHA512.digest(of: $0) }) : .some(nil)
        }
        return present
    }

    private func tarballs(of task: Task, present: [FileName: SHA512Digest?]) -> PackumentMerge.Tarballs {
        var delivered: [FileName: Set<SHA512Digest>] = [:]
        var intended: Set<FileName> = []
        var removed: Set<FileName> = []
        var gone: Set<FileName> = []
        for record in task.view.deliveries where record.outcome.isOfOrigin {
            delivered[record.path.file, default: []].insert(record.digest)
            if record.outcome == .intended, record.digest == task.target[record.path.file] { intended.insert(record.path.file) }
            if record.outcome == .removed, record.digest == task.target[record.path.file] { removed.insert(record.path.file) }
            if record.outcome.isGone, record.digest == task.target[record.path.file] { gone.insert(record.path.file) }
        }
        return PackumentMerge.Tarballs(
            offered: task.target.filter { !$0.key.isPackument }, staged: task.stagedTarballs, present: present, delivered: delivered,
            intended: intended, removed: removed, gone: gone)
    }

    /// Damaged bytes are kept in the generation; at every moment a file stands where the packument names one.
    private func heal(_ file: FileName, _ task: Task) throws {
        let here = task.directory.appending(file.text)
        try generation.keep(StorePath(task.package, file), at: here)
        try files.rename(task.staged.appending(file.text), to: here)
    }

    private func own(_ path: FilePath, mode: UInt32) throws { try stage.own(path, mode: mode, files: files) }

    private func result(_ task: Task, _ outcomes: [FileName: VersionOutcome], applied: AppliedForm?) throws -> Result {
        let records = outcomes.compactMap { file, outcome -> DeliveryRecord? in
            guard let digest = task.target[file] else { return nil }
            return DeliveryRecord(
                path: StorePath(task.package, file), digest: digest, version: task.versions[file], size: task.sizes[file],
                outcome: outcome)
        }.sorted { $0.path < $1.path }
        let refusals = try self.refusals(task, records.filter { $0.outcome.refusalReason != nil })
        let isRefused = !outcomes.isEmpty && outcomes.values.allSatisfy(\.isRefusal)
        let form = isRefused || policy.addsOnly ? nil : try applied.map { try KeptForm(task.bytes, $0) }
        return Result(delivery: PackageDelivery(package: task.package, files: records, form: form), refusals: refusals)
    }
}

extension PackageApplier {
    /// Names the versions that were not taken.
    private func refusals(_ task: Task, _ records: [DeliveryRecord]) throws -> [Refusal] {
        guard !records.isEmpty else { return [] }
        let versions = Dictionary(try task.form().carried.map { ($0.file, $0.version) }, uniquingKeysWith: { first, _ in first })
        return records.compactMap { record in
            guard let reason = record.outcome.refusalReason, let version = versions[record.path.file] else { return nil }
            return Refusal(subject: "\(task.package)@\(version)", reason: reason)
        }
    }
}

extension VersionOutcome {
    /// Whether bytes of that outcome are the origin's rather than local.
    fileprivate var isOfOrigin: Bool { !isRefusal && self != .absent && self != .released }

    /// Why a version was not taken, for people; `nil` where it was, or was not meant to be.
    fileprivate var refusalReason: String? {
        switch self {
        case .conflict: "other bytes are here under the same version; they stay"
        case .ownedLocally: "the package holds only versions published here; --adopt-local mixes them"
        case .removed: "it was removed here and stays removed; --restore-removed brings it back"
        case .withdrawn: "a later bundle took it away; --restore-removed brings it back"
        case .added, .held, .healed, .absent, .intended, .undone, .leaving, .quarantined, .deleted, .released, .returned, .adopted: nil
        }
    }
}
