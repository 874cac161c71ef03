import Activation
import Backups
package import CanonicalJSON
package import ImportLedger
import Integrity
package import PackageStore
package import Platform
import Snapshots
import Staging
package import SystemPackage

/// Takes over a storage that something else has filled: records what is there as local, and cuts each packument to the tarballs that are
/// there, so that a registry without uplinks serves it (DESIGN §5).
///
/// Each packument is kept before it is replaced, and replaced under Verdaccio's lock.
package struct Adoption: Sendable {
    /// A package whose packument is cut.
    package struct Cut: Sendable {
        package let package: PackageName
        /// The names of the versions that go: their tarballs are not here.
        package let dropped: [String]
        /// How many addresses to fetch tarballs from go.
        package let origins: Int
        /// Whether no version is left, so that the package is taken away.
        package let isGone: Bool
    }

    /// What would be done, or was.
    package struct Report: Sendable {
        package var packages = 0
        package var tarballs = 0
        /// Of the tarballs.
        package var bytes: Int64 = 0
        package var cuts: [Cut] = []
        /// What does not belong into a storage, or cannot be read; it stays as it is.
        package var findings: [Finding] = []
        /// The number of the ledger's entry; `nil` where nothing was done.
        package var id: Int64?
    }

    private let layout: StorageLayout
    private let state: FilePath
    private let ledger: Ledger
    private let clock: WallClock
    private let files: any FileSystem
    private let patience: PackageLock.Patience
    /// Told how far it is: packages done, all of them.
    private let progress: @Sendable (Int64, Int64) -> Void
    private static let batchLimit = 512
    private static let attempts = 5

    package init(
        layout: StorageLayout, state: FilePath, ledger: Ledger, clock: WallClock = .system, files: any FileSystem = DiskFileSystem(),
        patience: PackageLock.Patience = PackageLock.Patience(), progress: @escaping @Sendable (Int64, Int64) -> Void = { _, _ in }
    ) {
        self.layout = layout
        self.state = state
        self.ledger = ledger
        self.clock = clock
        self.files = files
        self.patience = patience
        self.progress = progress
    }

    /// Whether there is something to adopt: packages, and a ledger that knows of nothing, or of an adoption that did not end.
    package func isDue() throws -> Bool {
        if let begun = try ledger.adoption() { return begun.state == .applying }
        return try ledger.imports().isEmpty && !layout.discover().packages.isEmpty
    }

    /// Says what adopting the storage would do now; changes nothing, and reads no tarball.
    package func plan() throws -> Report {
        let found = try layout.discover()
        var report = Report(findings: found.findings)
        for location in found.packages {
            report.packages += 1
            let present = try TarballListing(of: location.directory, files: files)
            report.tarballs += present.sizes.count
            report.bytes += present.sizes.values.reduce(0, +)
            report.findings += Self.findings(of: present, in: location)
            switch try read(location) {
            case .success(let (_, packument)):
                let cut = PackumentCut(packument, present: present.files)
                if cut.isChanged { report.cuts.append(Self.cut(location.package, cut)) }
            case .failure(let finding): report.findings.append(finding)
            }
        }
        return report
    }

    /// Adopts the storage.
    ///
    /// Running it again after any interruption completes it. To be called under the lock of the state and that of the storage, after
    /// `InterruptedWork.clear`.
    ///
    /// - Parameter details: what else is to be recorded of it.
    /// - Throws: `FileSystemError`, `PackageLock.Busy`: each package is as it was, or as it will be.
    package func run(operatorName: String, details: JSONObject = JSONObject()) throws -> Report {
        let found = try layout.discover()
        let storages = Set(found.packages.map { layout.storageRoot(of: $0.package) }).sorted { $0.string < $1.string }
        let record: ImportRecord
        if let begun = try ledger.adoption(), begun.state == .applying {
            record = begun
        } else {
            record = try ledger.beginAdoption(
                Identifier(.bundle, random: randomBytes(20)), generationIn: storages.map(layout.subdirectory(of:)),
                operatorName: operatorName, at: clock.now())
        }
        let stage = try StageArea(layout: layout, bundle: record.bundle)
        let generation = Generation(
            GenerationName(import: record.id, started: record.started, bundle: record.bundle), layout: layout,
            owner: stage.ownership(files), files: files)
        try generation.open(in: storages, import: record.id, bundle: record.bundle, origin: record.origin)
        let stages = StageJournal(ofState: state, files: files)
        for storage in storages { try stages.note(stage.root(in: storage)) }
        let locks = LockJournal(ofState: state, files: files)
        defer { try? locks.clear() }
        var report = Report(findings: found.findings, id: record.id)
        for start in stride(from: 0, to: found.packages.count, by: Self.batchLimit) {
            let batch = found.packages[start..<min(start + Self.batchLimit, found.packages.count)]
            let adopted = try measure(batch)
            for location in batch {
                report.packages += 1
                report.findings += Self.findings(of: try TarballListing(of: location.directory, files: files), in: location)
                switch try adopt(location, generation, stage, locks) {
                case .success(let cut?): report.cuts.append(cut)
                case .success(nil): break
                case .failure(let finding): report.findings.append(finding)
                }
                progress(Int64(report.packages), Int64(found.packages.count))
            }
            report.tarballs += adopted.count
            report.bytes += adopted.reduce(0) { $0 + $1.size }
            // The ledger says what is done only once it cannot be undone by a power cut.
            for storage in storages { try files.syncFileSystem(holding: storage) }
            try ledger.recordAdopted(adopted, adoption: record.id)
        }
        try stages.recover()
        try generation.seal(in: storages)
        try ledger.finish(record.id, outcomes: ["adopted": report.tarballs, "cut": report.cuts.count], details: details, at: clock.now())
        return report
    }

    private static func cut(_ package: PackageName, _ cut: PackumentCut) -> Cut {
        Cut(package: package, dropped: cut.dropped, origins: cut.origins, isGone: cut.document == nil)
    }

    private static func findings(of listing: TarballListing, in location: StorageLayout.Location) -> [Finding] {
        listing.obstructions.map { obstruction in
            Finding(
                obstruction.kind == .symbolicLink ? .symbolicLink : .strayEntry, "\(location.package)/\(obstruction.path.name)",
                "\(obstruction); it stays as it is, and a version of it goes")
        }
    }

    private enum Outcome<Value> {
        case success(Value)
        case failure(Finding)
    }

    private func read(_ location: StorageLayout.Location) throws -> Outcome<(bytes: [UInt8], packument: StoredPackument)> {
        let subject = "\(location.package)/package.json"
        do {
            guard let bytes = try files.packument(in: location.directory) else {
                return .failure(Finding(.packumentMissing, subject, "there is none; verdaccio's search ends at such a directory"))
            }
            return .success((bytes, try StoredPackument(parsing: bytes, of: location.package)))
        } catch let error as PackumentError {
            return .failure(Finding(.packumentInvalid, subject, "\(error); it stays as it is"))
        }
    }

    /// Digests the tarballs of packages, two packages at once.
    private func measure(_ batch: ArraySlice<StorageLayout.Location>) throws -> [AdoptedFile] {
        var next = batch.startIndex
        let results = OrderedPipeline(
            width: 2, window: 8,
            pull: {
                guard next < batch.endIndex else { return nil }
                defer { next += 1 }
                return batch[next]
            },
            transform: { location in try measure(location) })
        var adopted: [AdoptedFile] = []
        while let files = try results.next() { adopted += files }
        return adopted
    }

    private func measure(_ location: StorageLayout.Location) throws -> [AdoptedFile] {
        var versions: [FileName: PackageVersion] = [:]
        if case .success(let (_, packument)) = try read(location) {
            versions = Dictionary(packument.declared.map { ($0.file, $0.version) }, uniquingKeysWith: { first, _ in first })
        }
        return try TarballListing(of: location.directory, files: files).sizes.sorted { $0.key < $1.key }.compactMap { file, size in
            guard let reader = try FileReader(opening: location.directory.appending(file.text)) else { return nil }
            return AdoptedFile(
                path: StorePath(location.package, file), digest: try SHA512.digest(of: reader), version: versions[file], size: size)
        }
    }

    private func adopt(
        _ location: StorageLayout.Location, _ generation: Generation, _ stage: StageArea, _ journal: LockJournal
    ) throws -> Outcome<Cut?> {
        // Most packuments of a storage that serves by itself are as they should be: they are not locked.
        if case .success(let (_, packument)) = try read(location),
            try !PackumentCut(packument, present: TarballListing(of: location.directory, files: files).files).isChanged
        {
            return .success(nil)
        }
        for _ in 0..<Self.attempts {
            if let outcome = try journal.oneAtATime({ try cut(location, generation, stage, journal) }) { return outcome }
        }
        throw PackageLock.Busy(path: location.directory.appending("package.json.lock"))
    }

    /// `nil` where the lock was lost on the way.
    private func cut(
        _ location: StorageLayout.Location, _ generation: Generation, _ stage: StageArea, _ journal: LockJournal
    ) throws -> Outcome<Cut?>? {
        let directory = location.directory
        let lock = try PackageLock(directory: directory, files: files, clock: clock, patience: patience) { try journal.note($0, $1) }
        defer { try? lock.release() }
        let bytes: [UInt8]
        let packument: StoredPackument
        switch try read(location) {
        case .success(let found): (bytes, packument) = found
        case .failure(let finding): return .failure(finding)
        }
        let cut = try PackumentCut(packument, present: TarballListing(of: directory, files: files).files)
        guard cut.isChanged else { return .success(nil) }
        let after = cut.document.map { JSONValue.object($0).canonicalBytes } ?? []
        let path = directory.appending("package.json")
        try generation.keep(location.package, at: path, holding: bytes, replacedBy: after)
        guard cut.document != nil else {
            guard try lock.isHeld() else { return nil }
            let disposal = PackageDisposal(layout: layout, generation: generation, stage: stage, files: files)
            _ = try disposal.takeAway(location.package, directory, going: [])
            return .success(Self.cut(location.package, cut))
        }
        guard try PackumentReplacement(stage, files: files).put(after, in: directory, under: lock) else { return nil }
        return .success(Self.cut(location.package, cut))
    }
}
