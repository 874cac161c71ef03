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
    /// A package that was left alone, and why.
    package struct Refusal: Sendable, Hashable {
        package let package: PackageName
        package let reason: String
    }

    /// What became of a package.
    package struct Result: Sendable {
        package let delivery: PackageDelivery
        package let refusal: Refusal?
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
    private static let attempts = 5

    package init(
        layout: StorageLayout, stage: StageArea, ledger: Ledger, origin: Identifier, policy: PackumentMerge.Policy,
        files: any FileSystem, clock: WallClock, patience: PackageLock.Patience, journal: LockJournal
    ) {
        self.layout = layout
        self.stage = stage
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
    /// - Parameter target: the digest the origin's target gives each file of the package.
    /// - Throws: `FileSystemError`, `PackageLock.Busy`; the package is then in its old or its new state, and applying again completes it.
    package func apply(_ package: PackageName, target: [FileName: SHA512Digest]) throws -> Result {
        let staged = stage.directory(of: package)
        let names = try files.names(in: staged) ?? []
        guard let bytes = try files.contents(of: staged.appending("package.json"), limit: StoredPackument.sizeLimit) else {
            throw FileSystemError("read the staged packument of \(package) at", staged, .noSuchFileOrDirectory)
        }
        let form = try TransferForm(proven: bytes, of: package)
        let tarballs = Set(names.compactMap { FileName($0) }.filter { !$0.isPackument })
        let directory = layout.directory(of: package)
        let task = Task(
            package: package, form: form, bytes: bytes, target: target, staged: staged, stagedTarballs: tarballs, directory: directory,
            deliveries: try ledger.deliveries(of: package))
        if try files.status(of: directory) == nil, let result = try placeNew(task) { return result }
        for _ in 0..<Self.attempts {
            if let result = try merge(task) { return result }
        }
        throw PackageLock.Busy(path: directory.appending("package.json.lock"))
    }

    /// One package being applied.
    private struct Task {
        let package: PackageName
        let form: TransferForm
        let bytes: [UInt8]
        let target: [FileName: SHA512Digest]
        let staged: FilePath
        let stagedTarballs: Set<FileName>
        let directory: FilePath
        let deliveries: [DeliveryRecord]
    }

    /// A package that is not here: its directory comes in one rename.
    ///
    /// `nil` where it appeared meanwhile.
    private func placeNew(_ task: Task) throws -> Result? {
        var outcomes = Dictionary(task.form.carried.map { ($0.file, VersionOutcome.added) }, uniquingKeysWith: { first, _ in first })
        if !Set(outcomes.keys).isSubset(of: task.stagedTarballs) {
            let merged = PackumentMerge(
                task.form, into: nil, base: nil, tarballs: tarballs(of: task, present: [:]), policy: policy)
            outcomes = merged.outcomes
            guard outcomes.values.contains(.added) else { return Result(delivery: delivery(task, outcomes), refusal: nil) }
            try files.replace(task.staged.appending("package.json"), with: JSONValue.object(merged.document).canonicalBytes)
        }
        if let scope = task.package.scope {
            let directory = layout.storageRoot(of: task.package).appending(String(scope))
            if try files.createDirectory(directory) { try own(directory, mode: 0o755) }
        }
        guard try files.renameWithoutReplacing(task.staged, to: task.directory) else { return nil }
        return Result(delivery: delivery(task, outcomes), refusal: nil)
    }

    /// A package that is here: read, decide and write under its lock.
    ///
    /// `nil` where the lock was lost on the way.
    private func merge(_ task: Task) throws -> Result? {
        let lock = try PackageLock(directory: task.directory, files: files, clock: clock, patience: patience) {
            try journal.note($0, $1)
        }
        defer { try? lock.release() }
        let packument = task.directory.appending("package.json")
        let local: StoredPackument?
        do {
            local = try files.contents(of: packument, limit: StoredPackument.sizeLimit).map {
                try StoredPackument(parsing: $0, of: task.package)
            }
        } catch let error as PackumentError {
            let refusal = Refusal(package: task.package, reason: "\(error); repair or remove it, then import again")
            return Result(delivery: PackageDelivery(package: task.package, files: [], form: nil), refusal: refusal)
        }
        let present = try measure(task)
        let base = try ledger.form(of: task.package, origin: origin).flatMap { try JSONParser.parse($0, mode: .strict).object }
        let merged = PackumentMerge(
            task.form, into: local, base: base, tarballs: tarballs(of: task, present: present), policy: policy)
        for file in merged.place {
            _ = try files.renameWithoutReplacing(
                task.staged.appending(file.text), to: task.directory.appending(file.text))
        }
        for file in merged.heal { try heal(file, task) }
        if !merged.place.isEmpty || !merged.heal.isEmpty { try files.syncDirectory(task.directory) }
        if merged.isChanged {
            let draft = task.directory.appending(".package.json.ferry")
            try files.write(JSONValue.object(merged.document).canonicalBytes, to: draft)
            try own(draft, mode: 0o644)
            try files.sync(draft)
            guard try lock.isHeld() else { return nil }
            try files.rename(draft, to: packument)
            try files.syncDirectory(task.directory)
        }
        let isRefused = merged.outcomes.values.allSatisfy(\.isRefusal)
        let refusal =
            isRefused && !merged.outcomes.isEmpty
            ? Refusal(package: task.package, reason: "it holds only local versions, or other bytes under the same versions") : nil
        return Result(delivery: delivery(task, merged.outcomes), refusal: refusal)
    }

    /// The tarballs that are here: measured where the decision needs it, taken on the ledger's word elsewhere.
    private func measure(_ task: Task) throws -> [FileName: SHA512Digest?] {
        var present: [FileName: SHA512Digest?] = [:]
        for name in try files.names(in: task.directory) ?? [] {
            guard let file = FileName(name), !file.isPackument else { continue }
            let path = task.directory.appending(name)
            guard try files.status(of: path)?.kind == .file else { continue }
            let isKnown = task.deliveries.contains { $0.path.file == file && $0.digest == task.target[file] && !$0.outcome.isRefusal }
            let mustMeasure = task.stagedTarballs.contains(file) || (task.target[file] != nil && !isKnown)
            present[file] = mustMeasure ? .some(try digest(of: path)) : .some(nil)
        }
        return present
    }

    private func digest(of path: FilePath) throws -> SHA512Digest? {
        guard let reader = try FileReader(opening: path) else { return nil }
        let hasher = SHA512Hasher()
        var offset: Int64 = 0
        while true {
            let piece = try reader.read(1 << 20, at: offset)
            if piece.isEmpty { return hasher.finalize() }
            hasher.update(piece)
            offset += Int64(piece.count)
        }
    }

    private func tarballs(of task: Task, present: [FileName: SHA512Digest?]) -> PackumentMerge.Tarballs {
        var delivered: [FileName: Set<SHA512Digest>] = [:]
        for record in task.deliveries where !record.outcome.isRefusal && record.outcome != .absent {
            delivered[record.path.file, default: []].insert(record.digest)
        }
        return PackumentMerge.Tarballs(
            offered: task.target.filter { !$0.key.isPackument }, staged: task.stagedTarballs, present: present, delivered: delivered)
    }

    /// Damaged bytes go to quarantine, the sound ones take their place.
    private func heal(_ file: FileName, _ task: Task) throws {
        let quarantine = stage.quarantine(of: task.package)
        try files.createDirectories(quarantine)
        let old = quarantine.appending(file.text)
        _ = try files.remove(old)
        try files.rename(task.directory.appending(file.text), to: old)
        try files.rename(task.staged.appending(file.text), to: task.directory.appending(file.text))
    }

    private func own(_ path: FilePath, mode: UInt32) throws {
        if stage.owner != geteuid() || stage.group != getegid() {
            try files.setAttributes(of: path, owner: stage.owner, group: stage.group, mode: mode)
        }
    }

    private func delivery(_ task: Task, _ outcomes: [FileName: VersionOutcome]) -> PackageDelivery {
        let records = outcomes.compactMap { file, outcome in
            task.target[file].map { DeliveryRecord(path: StorePath(task.package, file), digest: $0, outcome: outcome) }
        }
        let isRefused = !outcomes.isEmpty && outcomes.values.allSatisfy(\.isRefusal)
        return PackageDelivery(
            package: task.package, files: records.sorted { $0.path < $1.path }, form: isRefused || policy.addsOnly ? nil : task.bytes)
    }
}
