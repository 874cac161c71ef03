package import Backups
import CanonicalJSON
package import ImportLedger
import Integrity
package import PackageStore
package import Platform
import Snapshots
package import Staging
import SystemPackage

/// Takes what one import did to one package back, under Verdaccio's lock.
///
/// At every moment Verdaccio serves the package as it was or as it will be: tarballs go after the packument that names them, a package of
/// which nothing is left goes in one rename. What was published or tagged since stays.
package struct PackageReverter: Sendable {
    /// What of a package is to be taken back.
    package struct Task: Sendable {
        package let package: PackageName
        /// The tarballs that the import brought.
        package let owned: [ChangeRecord]
        /// Tarballs that the import meant to bring; they go where no version names them.
        package let intended: [ChangeRecord]
        /// Those that it brought and that stay, since something else would have brought them.
        package let otherwiseGiven: Set<FileName>
        /// The packument as the import left it, if known.
        package let imported: [UInt8]?
        /// Tarballs that the import took away, or was about to.
        package let taken: [LeavingFile]

        package init(
            package: PackageName, owned: [ChangeRecord], intended: [ChangeRecord] = [], otherwiseGiven: Set<FileName>, imported: [UInt8]?,
            taken: [LeavingFile] = []
        ) {
            self.package = package
            self.owned = owned
            self.intended = intended
            self.otherwiseGiven = otherwiseGiven
            self.imported = imported
            self.taken = taken
        }

        fileprivate var going: [ChangeRecord] { owned.filter { !otherwiseGiven.contains($0.path.file) } }
    }

    /// What becomes of a package, or became of it.
    package struct Result: Sendable {
        package let package: PackageName
        /// The tarballs that go.
        package fileprivate(set) var removed: Set<FileName> = []
        /// The tarballs that the import brought and that are not here any more then, whoever removed them.
        package fileprivate(set) var absent: Set<FileName> = []
        /// The versions that go, in words.
        package fileprivate(set) var versions: [PackageVersion] = []
        /// The versions that come back, since the import had taken them away.
        package fileprivate(set) var returned: [LeavingFile] = []
        /// Whether the whole package goes.
        package fileprivate(set) var isGone = false
        /// Whether there was nothing of it.
        package fileprivate(set) var wasAbsent = false
        /// Whether its packument is written.
        package fileprivate(set) var isChanged = false
        /// Whether its packument is again, to the byte, what the import found.
        package fileprivate(set) var isExact = false
        package fileprivate(set) var losses: [PackumentReversal.Loss] = []
        /// Why nothing can be done with it, in words.
        package fileprivate(set) var refusal: String?
        /// What is no tarball and stands in the place of one that goes; it stays.
        package fileprivate(set) var obstructions: [Obstruction] = []
        /// Where files were put aside that the import did not bring, when the whole package went.
        package fileprivate(set) var aside: String?

        /// Whether anything is done.
        package var isAffected: Bool { isGone || isChanged || !removed.isEmpty || !returned.isEmpty }
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
    ///   - generation: what the import kept.
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

    /// Says what `revert` would do now; changes nothing.
    package func plan(_ task: Task) throws -> Result {
        let directory = layout.directory(of: task.package)
        guard try files.status(of: directory) != nil else { return try comingBack(task)?.result ?? Self.nothingThere(task) }
        return try decide(task, in: directory).result
    }

    /// Takes back what is there to be taken back.
    ///
    /// Doing it again after any interruption completes it.
    package func revert(_ task: Task) throws -> Result {
        let directory = layout.directory(of: task.package)
        for _ in 0..<Self.attempts {
            guard try files.status(of: directory) != nil else {
                guard let whole = try comingBack(task) else { return Self.nothingThere(task) }
                if try placeWhole(whole, task, at: directory) { return whole.result }
                continue
            }
            if let result = try journal.oneAtATime({ try revert(task, in: directory) }) { return result }
        }
        throw PackageLock.Busy(path: directory.appending("package.json.lock"))
    }

    /// Sees to it that what came back is named, also where a registry was creating the package meanwhile.
    package func prove(_ task: Task, _ result: Result) throws {
        let directory = layout.directory(of: task.package)
        for _ in 0..<Self.attempts {
            if try files.declares(result.returned.compactMap(\.version), in: directory, of: task.package) { return }
            _ = try revert(task)
        }
        throw PackageLock.Busy(path: directory.appending("package.json.lock"))
    }

    private static func nothingThere(_ task: Task) -> Result {
        var result = Result(package: task.package)
        result.wasAbsent = true
        result.absent = Set(task.going.map(\.path.file))
        return result
    }

    private struct Decision {
        var result: Result
        /// What is to be written; `nil` where nothing is.
        var bytes: [UInt8]?
        /// The tarballs that go, as they lie there.
        var going: [FileName] = []
        /// The tarballs that come back, and where each is kept.
        var coming: [(file: FileName, path: FilePath)] = []
        /// The tarballs that the packument names then.
        var named: Set<FileName> = []
    }

    /// What comes back of a package that the import took away as a whole; `nil` where nothing does.
    private func comingBack(_ task: Task) throws -> Decision? {
        guard !task.taken.isEmpty, let write = try generation.writes(of: task.package).last(where: { $0.after.isEmpty }) else { return nil }
        let before = try StoredPackument(parsing: write.before, of: task.package)
        var decision = Decision(result: Self.nothingThere(task))
        decision.coming = try kept(task.taken)
        decision.result.returned = task.taken.filter { file in decision.coming.contains { $0.file == file.path.file } }
        let versions = Set(before.declared.filter { version in decision.coming.contains { $0.file == version.file } }.map(\.version))
        guard !versions.isEmpty else { return nil }
        decision.named = Set(decision.coming.map(\.file))
        decision.result.wasAbsent = false
        decision.result.isChanged = true
        decision.result.isExact = versions.count == before.declared.count
        decision.bytes =
            decision.result.isExact
            ? write.before : JSONValue.object(PackumentReturn(of: versions, from: before, into: nil).document).canonicalBytes
        return decision
    }

    private func kept(_ taken: [LeavingFile]) throws -> [(file: FileName, path: FilePath)] {
        try taken.compactMap { file in try generation.kept(file.path).map { (file.path.file, $0) } }
    }

    /// Brings a package back in one rename; `false` where it appeared meanwhile.
    private func placeWhole(_ whole: Decision, _ task: Task, at directory: FilePath) throws -> Bool {
        let placement = WholePlacement(layout: layout, stage: stage, files: files)
        guard try placement.place(task.package, whole.bytes ?? [], tarballs: whole.coming, at: directory) else { return false }
        try forget(whole, task)
        return true
    }

    /// What is back is quarantined no more; only a second name goes, the generation has the tarballs until the rollback has ended.
    private func forget(_ decision: Decision, _ task: Task) throws {
        try QuarantineArea(layout: layout, files: files).forget(
            task.taken.map(\.path.file).filter(decision.named.contains), of: task.package, generation.name)
    }

    private func decide(_ task: Task, in directory: FilePath) throws -> Decision {
        var decision = Decision(result: Result(package: task.package))
        let writes = try generation.writes(of: task.package)
        let here: [UInt8]?
        let current: StoredPackument?
        do {
            here = try files.packument(in: directory)
            current = try here.map { try StoredPackument(parsing: $0, of: task.package) }
        } catch let error as PackumentError {
            // Of a package that the import could not read either, it has changed nothing.
            if writes.isEmpty, task.owned.isEmpty, task.intended.isEmpty, task.taken.isEmpty { return decision }
            decision.result.refusal = "\(error); repair or remove its package.json, then roll back again"
            return decision
        }
        let declared = Dictionary((current?.declared ?? []).map { ($0.file, $0) }, uniquingKeysWith: { first, _ in first })
        var going: [FileName] = []
        var measured: [FileName: SHA512Digest] = [:]
        for change in task.going {
            let file = change.path.file
            let path = directory.appending(file.text)
            do {
                if declared[file]?.integrity?.sha512.contains(change.digest) == true, try files.status(of: path)?.kind == .file {
                    going.append(file)
                } else if let digest = try digest(at: path) {
                    measured[file] = digest
                    if digest == change.digest { going.append(file) }
                } else {
                    decision.result.absent.insert(file)
                }
            } catch let obstruction as Obstruction {
                // Its version goes by the name: of a tarball that is not there, nothing else tells whose it was.
                measured[file] = change.digest
                decision.result.absent.insert(file)
                decision.result.obstructions.append(obstruction)
            }
        }
        for change in task.intended where declared[change.path.file] == nil {
            do {
                if try digest(at: directory.appending(change.path.file.text)) == change.digest { going.append(change.path.file) }
            } catch is Obstruction {}
        }
        var named: Set<FileName> = []
        if here != nil {
            let returning = task.taken.filter { declared[$0.path.file] == nil }
            decision.coming = try kept(returning)
            let back = Set(decision.coming.map(\.file))
            do { try refuseOccupied(returning.filter { back.contains($0.path.file) }, in: directory) } catch let error as Occupied {
                decision.result.refusal = "\(error); the package stays as it was: move that away, then roll back again"
                return decision
            }
        }
        if let here, let current {
            let reversal = PackumentReversal(
                of: current, writes: try writes.map(Self.documents), imported: try imported(task, writes),
                owned: Dictionary(task.going.map { ($0.path.file, $0.digest) }, uniquingKeysWith: { first, _ in first }),
                measured: measured, returning: Set(decision.coming.map(\.file)))
            decision.result.versions = reversal.removed.map(\.version).sorted()
            decision.result.losses = reversal.losses
            if let exact = try exact(here, current, writes, reversal) {
                decision.bytes = exact.bytes
                decision.result.isExact = true
                named = Set(exact.packument.declared.map(\.file))
            } else if let document = reversal.document {
                if reversal.isChanged { decision.bytes = JSONValue.object(document).canonicalBytes }
                named = Set(try StoredPackument(reading: document, of: task.package).declared.map(\.file))
            } else {
                decision.result.isGone = true
            }
            decision.result.isChanged = decision.bytes != nil
            decision.coming.removeAll { !named.contains($0.file) }
            decision.result.returned = task.taken.filter { file in decision.coming.contains { $0.file == file.path.file } }
        }
        decision.named = named
        decision.going = going.filter { !named.contains($0) }
        decision.result.removed = Set(decision.going)
        decision.result.absent.formUnion(decision.going)
        return decision
    }

    /// The digest of a tarball; `nil` where there is none.
    ///
    /// - Throws: `Obstruction`, `FileSystemError`.
    private func digest(at path: FilePath) throws -> SHA512Digest? {
        try FileReader.tarball(at: path).map { try SHA512.digest(of: $0) }
    }

    /// Something that no version names stands where a tarball is to come back.
    private struct Occupied: Error, CustomStringConvertible {
        let description: String
    }

    private func refuseOccupied(_ returning: [LeavingFile], in directory: FilePath) throws {
        for file in returning {
            let path = directory.appending(file.path.file.text)
            do {
                guard let digest = try digest(at: path), digest != file.digest else { continue }
                throw Occupied(description: "\"\(path)\" has other bytes than the tarball that is to come back")
            } catch let obstruction as Obstruction {
                throw Occupied(description: "\(obstruction)")
            }
        }
    }

    private static func documents(_ write: Generation.Write) throws -> PackumentReversal.Write {
        func document(_ bytes: [UInt8]) throws -> JSONObject {
            bytes.isEmpty ? JSONObject() : try JSONParser.parse(bytes, mode: .likeJavaScript).object ?? JSONObject()
        }
        return PackumentReversal.Write(before: try document(write.before), after: try document(write.after))
    }

    private func imported(_ task: Task, _ writes: [Generation.Write]) throws -> JSONObject? {
        guard let bytes = writes.last(where: { !$0.after.isEmpty })?.after ?? task.imported else { return nil }
        return try JSONParser.parse(bytes, mode: .likeJavaScript).object
    }

    /// What stood there before, where what stands there is, to the byte, what the import wrote, and nothing of it is to stay.
    private func exact(
        _ here: [UInt8], _ current: StoredPackument, _ writes: [Generation.Write], _ reversal: PackumentReversal
    ) throws -> (bytes: [UInt8], packument: StoredPackument)? {
        var bytes = here
        for write in writes.reversed() where write.after == bytes { bytes = write.before }
        guard bytes != here, let name = PackageName(current.object["name"]?.string ?? "") else { return nil }
        let packument = try StoredPackument(parsing: bytes, of: name)
        func versions(_ object: JSONObject) -> Set<String> { Set((object["versions"]?.object?.members ?? []).map(\.name)) }
        let old = versions(packument.object)
        let removed = Set(reversal.removed.map(\.version.text))
        guard versions(current.object).subtracting(old) == removed else { return nil }
        return (bytes, packument)
    }

    /// `nil` where the lock was lost on the way.
    private func revert(_ task: Task, in directory: FilePath) throws -> Result? {
        let lock = try PackageLock(directory: directory, files: files, clock: clock, patience: patience) { try journal.note($0, $1) }
        defer { try? lock.release() }
        var decision = try decide(task, in: directory)
        if decision.result.refusal != nil { return decision.result }
        if decision.result.isGone {
            guard try lock.isHeld() else { return nil }
            let disposal = PackageDisposal(layout: layout, generation: generation, stage: stage, files: files)
            decision.result.aside = try disposal.takeAway(task.package, directory, going: Set(decision.going.map(\.text)))
            return decision.result
        }
        for (file, path) in decision.coming {
            try SecondCopy.make(of: path, at: directory.appending(file.text), owner: stage.ownership(files), files: files)
        }
        if !decision.coming.isEmpty { try files.syncDirectory(directory) }
        // Only when no power cut can bring the old one back may its tarballs go.
        if let bytes = decision.bytes, try !PackumentReplacement(stage, files: files).put(bytes, in: directory, under: lock) { return nil }
        for file in decision.going { _ = try files.remove(directory.appending(file.text)) }
        try forget(decision, task)
        return decision.result
    }
}
