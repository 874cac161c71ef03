package import Activation
import Backups
package import CanonicalJSON
package import ImportLedger
import Integrity
package import PackageStore
package import Platform
import Staging
package import SystemPackage

/// The versions that imports have quarantined: lists them, and lets them back.
package struct QuarantineKeeper: Sendable {
    /// Why a version is not let back.
    ///
    /// Nothing was changed.
    package enum Refusal: Error, Equatable, CustomStringConvertible {
        case notQuarantined(String)
        /// The tarball in quarantine is not what its version declares.
        case damaged(FilePath)
        /// A version of that number with other bytes is here.
        case occupied(String)
        /// The packument here cannot be read.
        case damagedPackage(String)
        /// Something else stands in the tarball's place.
        case obstructed(Obstruction)

        package var description: String {
            switch self {
            case .notQuarantined(let subject): "\(subject) is not in quarantine"
            case .damaged(let path): "\"\(path)\" is not what was put in quarantine"
            case .occupied(let subject): "other bytes are here under \(subject)"
            case .damagedPackage(let reason): reason
            case .obstructed(let obstruction): "\(obstruction); move it away first"
            }
        }
    }

    private let layout: StorageLayout
    private let state: FilePath
    private let ledger: Ledger
    private let clock: WallClock
    private let files: any FileSystem
    private let patience: PackageLock.Patience
    private static let attempts = 5

    package init(
        layout: StorageLayout, state: FilePath, ledger: Ledger, clock: WallClock = .system, files: any FileSystem = DiskFileSystem(),
        patience: PackageLock.Patience = PackageLock.Patience()
    ) {
        self.layout = layout
        self.state = state
        self.ledger = ledger
        self.clock = clock
        self.files = files
        self.patience = patience
    }

    private var area: QuarantineArea { QuarantineArea(layout: layout, files: files) }

    /// Everything that is in quarantine, with the import that put it there, as far as the ledger knows it.
    package func list() throws -> [(entry: QuarantineArea.Entry, record: ImportRecord?)] {
        try recorded(area.contents(in: storages()).entries)
    }

    /// What is in quarantine and cannot be let back, since it is not as it was put there.
    package func damage() throws -> [FilePath] { try area.contents(in: storages()).damage.map(\.path) }

    private func recorded(_ entries: [QuarantineArea.Entry]) throws -> [(entry: QuarantineArea.Entry, record: ImportRecord?)] {
        let records = Dictionary(
            try ledger.imports().filter { $0.kind == .import }.map { ($0.generationName, $0) }, uniquingKeysWith: { first, _ in first })
        return entries.map { ($0, records[$0.generation]) }
    }

    /// The physical storages that may have a quarantine.
    private func storages() throws -> Set<FilePath> {
        let subdirectories = Set(try ledger.generations().flatMap(\.subdirectories)).union([""])
        var storages = Set(subdirectories.map(layout.storageRoot(ofSubdirectory:)))
        for location in try layout.discover().packages { storages.insert(layout.storageRoot(of: location.package)) }
        return storages
    }

    /// Lets versions of a package back: those that are named, or all; of a version that is there more than once, the one put there last.
    ///
    /// Doing it again after any interruption completes it.
    ///
    /// - Returns: the versions that are back, and the numbers of the ledger's entries.
    /// - Throws: `Refusal`; `PackageLock.Busy`, `FileSystemError`.
    package func release(
        _ package: PackageName, _ version: PackageVersion?, operatorName: String, details: JSONObject = JSONObject()
    ) throws -> (versions: [PackageVersion], entries: [Int64]) {
        var newest: [PackageVersion: (entry: QuarantineArea.Entry, record: ImportRecord?)] = [:]
        let contents = try area.contents(in: storages())
        let entries = contents.entries.filter { $0.package == package && (version == nil || $0.version.version == version) }
        for found in try recorded(entries) {
            newest[found.entry.version.version] = found
        }
        guard !newest.isEmpty else {
            if let damage = contents.damage.first(where: { $0.package == package }) { throw Refusal.damaged(damage.path) }
            try area.sweep(package, in: storages())
            throw Refusal.notQuarantined(version.map { "\(package)@\($0)" } ?? package.text)
        }
        var numbers: [Int64] = []
        for (generation, found) in Dictionary(grouping: newest.values, by: \.entry.generation).sorted(by: { $0.key < $1.key }) {
            let files = found.map(\.entry).sorted { $0.version.version < $1.version.version }
            let digests = try files.map { try proven($0) }
            try place(files, digests, of: package, generation)
            if let id = found.first?.record?.id {
                let taken = zip(files, digests).map {
                    LeavingFile(path: StorePath(package, $0.version.file), digest: $1, version: $0.version.version)
                }
                numbers.append(
                    try ledger.recordRelease(taken, quarantinedBy: id, operatorName: operatorName, details: details, at: clock.now()))
            }
            try prove(files, digests, of: package, generation)
            try area.forget(files.map(\.version.file), of: package, generation)
        }
        return (newest.keys.sorted(), numbers)
    }

    /// Sees to it that what was let back is named, also where a registry was creating the package meanwhile.
    private func prove(
        _ entries: [QuarantineArea.Entry], _ digests: [SHA512Digest], of package: PackageName, _ generation: GenerationName
    ) throws {
        let directory = layout.directory(of: package)
        for _ in 0..<Self.attempts {
            if try files.declares(entries.map(\.version.version), in: directory, of: package) { return }
            try place(entries, digests, of: package, generation)
        }
        throw PackageLock.Busy(path: directory.appending("package.json.lock"))
    }

    private func proven(_ entry: QuarantineArea.Entry) throws -> SHA512Digest {
        guard let reader = try FileReader(opening: entry.path) else { throw Refusal.damaged(entry.path) }
        let digest = try SHA512.digest(of: reader)
        guard entry.version.matches(TarballProof(sha512: digest, sha1: nil, size: entry.size)) != false else {
            throw Refusal.damaged(entry.path)
        }
        return digest
    }

    private func place(
        _ entries: [QuarantineArea.Entry], _ digests: [SHA512Digest], of package: PackageName, _ generation: GenerationName
    ) throws {
        let place = area.directory(of: package, generation)
        guard let taken = try area.packument(in: place, of: package) else { throw Refusal.damaged(place.appending("package.json")) }
        let directory = layout.directory(of: package)
        let journal = LockJournal(ofState: state, files: files)
        defer { try? journal.clear() }
        for _ in 0..<Self.attempts {
            if try files.status(of: directory) == nil {
                if try placeWhole(entries, of: package, taken, generation, at: directory) { return }
            } else if try journal.oneAtATime({ try merge(entries, digests, of: package, taken, generation, in: directory, journal) }) {
                return
            }
        }
        throw PackageLock.Busy(path: directory.appending("package.json.lock"))
    }

    /// `false` where the package appeared meanwhile.
    private func placeWhole(
        _ entries: [QuarantineArea.Entry], of package: PackageName, _ taken: StoredPackument, _ generation: GenerationName,
        at directory: FilePath
    ) throws -> Bool {
        let stage = try StageArea(layout: layout, bundle: generation.bundle)
        let journal = StageJournal(ofState: state, files: files)
        try journal.note(stage.root(for: package))
        let document = PackumentReturn(of: Set(entries.map(\.version.version)), from: taken, into: nil).document
        let placement = WholePlacement(layout: layout, stage: stage, files: files)
        let isPlaced = try placement.place(
            package, JSONValue.object(document).canonicalBytes, tarballs: entries.map { ($0.version.file, $0.path) }, at: directory)
        try journal.recover()
        return isPlaced
    }

    private func digest(at path: FilePath) throws -> SHA512Digest? {
        do { return try FileReader.tarball(at: path).map { try SHA512.digest(of: $0) } } catch let obstruction as Obstruction {
            throw Refusal.obstructed(obstruction)
        }
    }

    /// `false` where the lock was lost on the way.
    private func merge(
        _ entries: [QuarantineArea.Entry], _ digests: [SHA512Digest], of package: PackageName, _ taken: StoredPackument,
        _ generation: GenerationName, in directory: FilePath, _ journal: LockJournal
    ) throws -> Bool {
        let lock = try PackageLock(directory: directory, files: files, clock: clock, patience: patience) { try journal.note($0, $1) }
        defer { try? lock.release() }
        let current: StoredPackument
        do { current = try StoredPackument(parsing: files.packument(in: directory) ?? [], of: package) } catch let error as PackumentError {
            throw Refusal.damagedPackage("\(package): \(error); repair or remove its package.json first")
        }
        let declared = Dictionary(current.declared.map { ($0.version, $0) }, uniquingKeysWith: { first, _ in first })
        var coming: [QuarantineArea.Entry] = []
        for (entry, digest) in zip(entries, digests) {
            let here = try self.digest(at: directory.appending(entry.version.file.text))
            guard here == nil || here == digest else { throw Refusal.occupied("\(package)@\(entry.version.version)") }
            if let known = declared[entry.version.version] {
                guard known.matches(TarballProof(sha512: digest, sha1: nil, size: 0)) != false else {
                    throw Refusal.occupied("\(package)@\(entry.version.version)")
                }
            } else {
                coming.append(entry)
            }
        }
        let stage = try StageArea(layout: layout, bundle: generation.bundle)
        for entry in entries {
            try SecondCopy.make(
                of: entry.path, at: directory.appending(entry.version.file.text), owner: stage.ownership(files), files: files)
        }
        try files.syncDirectory(directory)
        guard !coming.isEmpty else { return true }
        let document = PackumentReturn(of: Set(coming.map(\.version.version)), from: taken, into: current).document
        return try PackumentReplacement(stage, files: files).put(
            JSONValue.object(document).canonicalBytes, in: directory, under: lock)
    }
}
