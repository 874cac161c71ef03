package import Backups
import CanonicalJSON
package import ImportLedger
import Integrity
package import PackageStore
package import Platform
package import Staging
import SystemPackage

/// What is done with a version here that has left its origin.
///
/// The raw values are the words of settings, options and the ledger's details.
package enum RemovalPolicy: String, Sendable, CaseIterable {
    /// It stays.
    case keep
    /// It is put aside, and can be let back.
    case quarantine
    /// It goes, and comes back only by a rollback of the import.
    case delete
}

/// Takes versions that have left their origin out of one package, under Verdaccio's lock.
///
/// A version's entry goes before its tarball, and both lie in the generation by then; a package of which nothing is left goes in one
/// rename. What lies under the same name with other bytes is local and stays.
package struct PackageRemover: Sendable {
    /// What of a package has left.
    package struct Task: Sendable {
        package let package: PackageName
        package let files: [(file: LeavingFile, policy: RemovalPolicy)]

        package init(package: PackageName, files: [(file: LeavingFile, policy: RemovalPolicy)]) {
            self.package = package
            self.files = files
        }
    }

    /// What became of it.
    package struct Result: Sendable {
        package let package: PackageName
        /// The tarballs that went, and where; others stayed.
        package fileprivate(set) var outcomes: [FileName: VersionOutcome] = [:]
        /// Whether nothing of the package is left.
        package fileprivate(set) var isGone = false
        /// Tags that were put here on a version that went.
        package fileprivate(set) var tags: [(name: String, version: String)] = []
        /// Where files were put aside that no version named, when the whole package went.
        package fileprivate(set) var aside: String?
        /// Why nothing could be done with it, in words.
        package fileprivate(set) var refusal: String?

        fileprivate init(_ package: PackageName) { self.package = package }
    }

    private let layout: StorageLayout
    private let generation: Generation
    private let stage: StageArea
    private let files: any FileSystem
    private let clock: WallClock
    private let patience: PackageLock.Patience
    private let journal: LockJournal
    private static let attempts = 5

    /// - Parameters:
    ///   - generation: gets what goes, before it does.
    ///   - stage: a hidden directory of its own, where whole packages go.
    package init(
        layout: StorageLayout, generation: Generation, stage: StageArea, files: any FileSystem, clock: WallClock,
        patience: PackageLock.Patience, journal: LockJournal
    ) {
        self.layout = layout
        self.generation = generation
        self.stage = stage
        self.files = files
        self.clock = clock
        self.patience = patience
        self.journal = journal
    }

    /// Takes away what is there to be taken away.
    ///
    /// Doing it again after any interruption completes it.
    package func remove(_ task: Task) throws -> Result {
        let directory = layout.directory(of: task.package)
        for _ in 0..<Self.attempts {
            guard try files.status(of: directory) != nil else { return try takenBefore(task) }
            if let result = try journal.oneAtATime({ try remove(task, in: directory) }) { return result }
        }
        throw PackageLock.Busy(path: directory.appending("package.json.lock"))
    }

    /// A package that is not here: an interrupted try took it away, as far as its tarballs are kept, or somebody else did.
    private func takenBefore(_ task: Task) throws -> Result {
        var result = Result(task.package)
        for (file, policy) in task.files where try generation.kept(file.path) != nil { result.outcomes[file.path.file] = policy.outcome }
        result.isGone = true
        return result
    }

    /// `nil` where the lock was lost on the way.
    private func remove(_ task: Task, in directory: FilePath) throws -> Result? {
        let lock = try PackageLock(directory: directory, files: files, clock: clock, patience: patience) { try journal.note($0, $1) }
        defer { try? lock.release() }
        var result = Result(task.package)
        let packument = directory.appending("package.json")
        let here: [UInt8]
        let current: StoredPackument
        do {
            guard let bytes = try files.packument(in: directory) else { return result }
            here = bytes
            current = try StoredPackument(parsing: here, of: task.package)
        } catch let error as PackumentError {
            result.refusal = "\(error); repair or remove its package.json, then import again"
            return result
        }
        let declared = Dictionary(current.declared.map { ($0.file, $0) }, uniquingKeysWith: { first, _ in first })
        var going: [FileName: RemovalPolicy] = [:]
        for (file, policy) in task.files {
            let name = file.path.file
            if let version = declared[name] {
                do { if try isStillIts(version, file, in: directory) { going[name] = policy } } catch let obstruction as Obstruction {
                    result.refusal = "\(obstruction); the package stays as it was: move that away, then import again"
                    return result
                }
            } else if try generation.kept(file.path) != nil {
                // An interrupted try has taken its entry.
                _ = try files.remove(directory.appending(name.text))
                result.outcomes[name] = policy.outcome
            }
        }
        guard !going.isEmpty else { return result }
        let removal = PackumentRemoval(of: Set(going.keys.compactMap { declared[$0]?.version }), from: current)
        result.tags = removal.tags
        try keep(going, task.package, directory, current, declared)
        let bytes = removal.rest.map { JSONValue.object($0).canonicalBytes } ?? []
        try generation.keep(task.package, at: packument, holding: here, replacedBy: bytes)
        if removal.rest == nil {
            guard try lock.isHeld() else { return nil }
            let disposal = PackageDisposal(layout: layout, generation: generation, stage: stage, files: files)
            result.aside = try disposal.takeAway(task.package, directory, going: Set(going.keys.map(\.text)))
            result.isGone = true
        } else {
            // Only when no power cut can bring the old one back may its tarballs go.
            guard try PackumentReplacement(stage, files: files).put(bytes, in: directory, under: lock) else { return nil }
            for file in going.keys.sorted() { _ = try files.remove(directory.appending(file.text)) }
        }
        for (file, policy) in going { result.outcomes[file] = policy.outcome }
        return result
    }

    /// Whether a version is the origin's as it was given, and its tarball is here.
    ///
    /// - Throws: `Obstruction` where something else stands in the tarball's place.
    private func isStillIts(_ version: DeclaredVersion, _ file: LeavingFile, in directory: FilePath) throws -> Bool {
        guard let reader = try FileReader.tarball(at: directory.appending(file.path.file.text)) else { return false }
        let sha512 = version.integrity?.sha512 ?? []
        return try sha512.isEmpty ? SHA512.digest(of: reader) == file.digest : sha512.contains(file.digest)
    }

    /// Keeps tarballs for a rollback, and what is quarantined for its release, too.
    private func keep(
        _ going: [FileName: RemovalPolicy], _ package: PackageName, _ directory: FilePath, _ current: StoredPackument,
        _ declared: [FileName: DeclaredVersion]
    ) throws {
        for file in going.keys.sorted() { try generation.keep(StorePath(package, file), at: directory.appending(file.text)) }
        let aside = going.filter { $0.value == .quarantine }.keys.sorted()
        guard !aside.isEmpty else { return }
        let taken = PackumentRemoval(of: Set(aside.compactMap { declared[$0]?.version }), from: current).taken
        try QuarantineArea(layout: layout, files: files).add(
            aside, of: package, in: directory, taken: taken, generation: generation.name,
            owner: stage.ownership(files))
    }
}

extension RemovalPolicy {
    fileprivate var outcome: VersionOutcome { self == .quarantine ? .quarantined : .deleted }
}
