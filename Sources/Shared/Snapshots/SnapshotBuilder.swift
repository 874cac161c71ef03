import Integrity
package import PackageStore
package import Platform
import SystemPackage

/// Where records of earlier scans are kept; the catalog is one.
package protocol ScanRecords: Sendable {
    /// The records, encoded, of packages whose `sortKey` lies between two, both included.
    func records(from first: PackageName, through last: PackageName) throws -> [PackageName: [UInt8]]
    /// What upstream says otherwise than the storage, of packages whose `sortKey` lies between two, both included; empty overlays left out.
    func overlays(from first: PackageName, through last: PackageName) throws -> [PackageName: UpstreamOverlay]
    /// What is known beside their records of the tarballs of packages whose `sortKey` lies between two, both included.
    func proofs(from first: PackageName, through last: PackageName) throws -> [StorePath: KnownProof]
    /// The tarballs that a check has found damaged, as they were then.
    func damagedTarballs() throws -> [StorePath: FileIdentity]
    /// The files that a repair has taken out of the storage and not replaced: they have not left it.
    func takenAway() throws -> Set<StorePath>
    /// Keeps records, replacing older ones. Durable when it returns.
    func keep(_ records: [(PackageName, PackageRecord)]) throws
}

/// What was measured of a tarball by somebody else than a snapshot.
package struct KnownProof: Sendable, Hashable {
    /// The file as it was measured.
    package let identity: FileIdentity
    package let proof: TarballProof
    /// When the scan began that listed it, in nanoseconds: a file that is not older may have changed unseen.
    package let scannedAt: Int64

    package init(identity: FileIdentity, proof: TarballProof, scannedAt: Int64) {
        self.identity = identity
        self.proof = proof
        self.scannedAt = scannedAt
    }
}

/// Takes snapshots of a storage (FORMAT.md §4).
package struct SnapshotBuilder: Sendable {
    /// What may be changed about a scan.
    package struct Options: Sendable {
        /// Accept a snapshot that lost more than 5 % of the previous one's files.
        package var allowsShrinking = false
        /// Threads that read and hash.
        package var width = 2
        /// Largest number of files (FORMAT.md §2).
        package var fileLimit = 4_000_000

        package init() {}
    }

    /// What a scan came to.
    package struct Report: Sendable {
        package let header: SnapshotHeader
        /// False where the storage holds what the previous snapshot held: that one is returned.
        package let isNew: Bool
        package let findings: [Finding]
        /// What earlier snapshots held, still stands in the storage, and could not be taken; sorted.
        package let withheld: [StorePath]
        /// What earlier snapshots held and upstream has withdrawn; sorted.
        package let withdrawn: [StorePath]
        /// Tarballs whose bytes were read, over all passes.
        package let hashedFiles: Int
        package let hashedBytes: Int64
        /// Stat passes that were made.
        package let passes: Int
    }

    /// A snapshot that would lose more than 5 % of the files of the one before.
    ///
    /// Nothing was written.
    package struct Shrunk: Error, CustomStringConvertible {
        package let lost: Int
        package let of: Int
        package let previous: SnapshotID

        package var description: String {
            "\(lost) of the \(of) files of snapshot \(previous) are gone, withdrawn, or cannot be taken; is the storage mounted?"
        }
    }

    /// A storage that holds more files than a snapshot may.
    ///
    /// Nothing was written.
    package struct TooLarge: Error, Equatable, CustomStringConvertible {
        package let limit: Int

        package var description: String { "the storage holds more than the \(limit) files that a snapshot may have" }
    }

    private let layout: StorageLayout
    private let records: any ScanRecords
    private let store: SnapshotStore
    private let origin: Identifier
    private let clock: WallClock
    /// Told after every batch: packages done, packages in all, bytes hashed.
    private let progress: @Sendable (Int, Int, Int64) -> Void

    private static let batch = 32
    /// Records that are kept in one go, and made durable beside the scan.
    private static let keptAtOnce = 2048
    private static let passLimit = 5

    package init(
        layout: StorageLayout, records: any ScanRecords, store: SnapshotStore, origin: Identifier, clock: WallClock = .system,
        progress: @escaping @Sendable (Int, Int, Int64) -> Void = { _, _, _ in }
    ) {
        self.layout = layout
        self.records = records
        self.store = store
        self.origin = origin
        self.clock = clock
        self.progress = progress
    }

    /// Scans the storage until it has held still since a scan began, at most five times, and writes the snapshot.
    ///
    /// Where the content equals that of the newest snapshot, nothing is written and that one is returned.
    ///
    /// - Throws: `Shrunk`, `TooLarge`; `FileSystemError` when the storage cannot be read or the state not written. Then no snapshot was made.
    package func take(_ options: Options = Options()) throws -> Report {
        let files = DiskFileSystem()
        try files.createDirectories(store.objects)
        let draft = store.directory.appending(".manifest.draft")
        let started = clock.now()
        let keeper = WorkerPool<[(PackageName, PackageRecord)]>(width: 1, window: 2, work: keep)
        var hashedFiles = 0
        var hashedBytes: Int64 = 0
        var passes = 0
        var pass: Pass
        var isSettled: Bool
        repeat {
            pass = try scan(into: draft, keeper, options: options)
            passes += 1
            hashedFiles += pass.hashedFiles
            hashedBytes += pass.hashedBytes
            isSettled = pass.changed == 0
            if !isSettled, passes < Self.passLimit, try hasHeldStill(since: pass, options) {
                passes += 1
                isSettled = true
            }
            try keeper.finish()
        } while !isSettled && passes < Self.passLimit
        let (header, missing, isNew) = try commit(pass, draft: draft, started: started, isSettled: isSettled, options: options)
        return Report(
            header: header, isNew: isNew, findings: pass.findings, withheld: missing.withheld.sorted(),
            withdrawn: missing.withdrawn.sorted(), hashedFiles: hashedFiles, hashedBytes: hashedBytes, passes: passes)
    }

    /// One pass over the whole storage.
    private struct Pass {
        /// On the clock that file times are taken from.
        var start: Int64
        var changed = 0
        /// Where packages lie, sorted by name.
        var locations: [StorageLayout.Location] = []
        /// Of the listing of each.
        var fingerprints: [Int?] = []
        /// Whether packages may lie where they were not found.
        var isIncomplete = false
        var findings: [Finding] = []
        /// What stands in the storage and upstream has withdrawn.
        var withdrawn: Set<StorePath> = []
        /// Tarballs that stand in the storage and are not taken.
        var leftOut: [StorePath: Finding.Code] = [:]
        /// What a repair has taken out of the storage and not replaced.
        var takenAway: Set<StorePath> = []
        var hashedFiles = 0
        var hashedBytes: Int64 = 0
        var writer: FileWriter?
        var counts = ContentCounts()
        var stateRoot = SHA512Digest.ofNothing
    }

    private func scan(
        into draft: FilePath, _ keeper: WorkerPool<[(PackageName, PackageRecord)]>, options: Options
    ) throws -> Pass {
        var pass = Pass(start: clock.now().nanoseconds)
        let found = try layout.discover()
        pass.locations = found.packages
        pass.findings = found.findings
        pass.isIncomplete = found.findings.contains {
            $0.code == .unreadable || $0.code == .ambiguousPackage || $0.code == .misplacedPackage
        }
        var scanner = PackageScanner(store: store, scanStart: pass.start)
        scanner.proofs = { [records] in try records.proofs(from: $0, through: $1) }
        let damaged = Dictionary(grouping: try records.damagedTarballs(), by: \.key.package)
        pass.takenAway = try records.takenAway()
        var next = 0
        let pipeline = OrderedPipeline<[(input: ScanInput, record: [UInt8]?)], [PackageScan]>(
            width: options.width, window: options.width * 4,
            pull: {
                guard next < found.packages.count else { return nil }
                let batch = found.packages[next..<min(next + Self.batch, found.packages.count)]
                next += batch.count
                guard let first = batch.first, let last = batch.last else { return nil }
                let known = try records.records(from: first.package, through: last.package)
                let overlays = try records.overlays(from: first.package, through: last.package)
                return batch.map {
                    let input = ScanInput(
                        location: $0, overlay: overlays[$0.package] ?? UpstreamOverlay(),
                        damaged: Dictionary(uniqueKeysWithValues: (damaged[$0.package] ?? []).map { ($0.key.file, $0.value) }))
                    return (input, known[$0.package])
                }
            },
            transform: { [scanner] batch in
                let inputs = batch.map { input, record in
                    var input = input
                    input.previous = record.flatMap { PackageRecord(decoding: $0) }
                    return input
                }
                return try scanner.scan(inputs)
            })
        let manifest = try SnapshotManifestWriter(creating: draft)
        var fresh: [(PackageName, PackageRecord)] = []
        var done = 0
        while let scans = try pipeline.next() {
            for scan in scans {
                try manifest.add(scan.lines)
                guard manifest.counts.files <= options.fileLimit else {
                    _ = try DiskFileSystem().remove(draft)
                    throw TooLarge(limit: options.fileLimit)
                }
                pass.findings += scan.record.findings + scan.passingFindings
                pass.withdrawn.formUnion(scan.record.withdrawnPaths(of: scan.package))
                pass.leftOut.merge(scan.record.leftOut(of: scan.package)) { $1 }
                pass.hashedFiles += scan.hashedFiles
                pass.hashedBytes += scan.hashedBytes
                if !scan.isUnchanged { pass.changed += 1 }
                pass.fingerprints.append(scan.fingerprint)
                if scan.isNewRecord { fresh.append((scan.package, scan.record)) }
            }
            done += scans.count
            if fresh.count >= Self.keptAtOnce {
                try keeper.push(fresh)
                fresh = []
            }
            progress(done, found.packages.count, pass.hashedBytes)
        }
        if !fresh.isEmpty { try keeper.push(fresh) }
        for path in pass.takenAway where !path.file.isPackument && (try? stands(path, pass)) == false {
            pass.leftOut[path] = .tarballDamaged
        }
        let (writer, counts, stateRoot) = try manifest.finish()
        pass.writer = writer
        pass.counts = counts
        pass.stateRoot = stateRoot
        return pass
    }

    /// Whether every package still looks as it did when a pass listed it, which nothing written since that began can do.
    private func hasHeldStill(since pass: Pass, _ options: Options) throws -> Bool {
        guard !pass.fingerprints.contains(nil), try layout.discover().packages == pass.locations else { return false }
        var next = 0
        let pipeline = OrderedPipeline<Range<Int>, Int?>(
            width: options.width, window: options.width * 4,
            pull: {
                guard next < pass.locations.count else { return nil }
                defer { next += Self.batch }
                return next..<min(next + Self.batch, pass.locations.count)
            },
            transform: { [locations = pass.locations, fingerprints = pass.fingerprints, start = pass.start] range in
                for index in range {
                    guard let listing = try? PackageListing(of: locations[index]), listing.vanished.isEmpty,
                        listing.fingerprint == fingerprints[index], listing.files.allSatisfy({ $0.identity.isSettled(before: start) })
                    else { return nil }
                }
                return range.upperBound
            })
        while let done = try pipeline.next() {
            guard let done else { return false }
            progress(done, pass.locations.count, pass.hashedBytes)
        }
        return true
    }

    /// Records name transfer forms, so those are made durable first.
    private func keep(_ fresh: [(PackageName, PackageRecord)]) throws {
        try DiskFileSystem().syncFileSystem(holding: store.objects)
        try records.keep(fresh)
    }

    /// What a snapshot does not hold of what the ones before it held, and what has not simply left the storage (FORMAT.md §4).
    private struct Missing: Equatable {
        var withheld: Set<StorePath> = []
        var withdrawn: Set<StorePath> = []

        var all: Set<StorePath> { withheld.union(withdrawn) }
    }

    private func commit(
        _ pass: Pass, draft: FilePath, started: Timestamp, isSettled: Bool, options: Options
    ) throws -> (SnapshotHeader, Missing, isNew: Bool) {
        let files = DiskFileSystem()
        let newest = try store.headers().last
        let before = try newest.map {
            Missing(withheld: try store.withheldPaths(of: $0.id), withdrawn: try store.withdrawnPaths(of: $0.id))
        }
        if let newest, let before, newest.stateRoot == pass.stateRoot, newest.isSettled == isSettled,
            parted(before.all, pass, before) == before, try store.leftOut(of: newest.id) == pass.leftOut
        {
            _ = try files.remove(draft)
            return (newest, before, false)
        }
        let header = SnapshotHeader(
            id: try freeID(at: started), counter: (newest?.counter ?? 0) + 1, origin: origin, created: started, isSettled: isSettled,
            stateRoot: pass.stateRoot, counts: pass.counts, findings: pass.findings.count)
        try pass.writer?.overwrite(header.firstLine(), at: 0)
        try pass.writer?.sync()
        try pass.writer?.close()
        var missing = Missing()
        if let newest, let before {
            let (lost, candidates) = try compare(draft, with: newest, before)
            if !options.allowsShrinking, lost * 20 > newest.counts.files {
                _ = try files.remove(draft)
                throw Shrunk(lost: lost, of: newest.counts.files, previous: newest.id)
            }
            missing = parted(candidates, pass, before)
        }
        let folder = store.directory.appending(header.id.text)
        _ = try files.createDirectory(folder)
        try write(missing.withheld.sorted().map { "\($0)\n" }, to: store.withheldList(of: header.id))
        try write(missing.withdrawn.sorted().map { "\($0)\n" }, to: store.withdrawnList(of: header.id))
        let leftOut = pass.leftOut.sorted { $0.key < $1.key }.map { "\($0.value.rawValue)  \($0.key)\n" }
        try write(leftOut, to: store.leftOutList(of: header.id))
        try files.rename(draft, to: store.manifest(of: header.id))
        try files.syncDirectory(folder)
        try files.syncDirectory(store.directory)
        return (header, missing, true)
    }

    private func write(_ lines: [String], to list: FilePath) throws {
        guard !lines.isEmpty else { return }
        let files = DiskFileSystem()
        try files.write(Array(lines.joined().utf8), to: list)
        try files.sync(list)
    }

    /// Counts what the newest snapshot holds and the draft does not, and names that and what was missing before, but for what is back.
    private func compare(
        _ draft: FilePath, with newest: SnapshotHeader, _ before: Missing
    ) throws -> (lost: Int, candidates: Set<StorePath>) {
        guard let target = try SnapshotReader(opening: draft) else { return (0, []) }
        var lost = 0
        var candidates = before.all
        try forEachChange(from: store.open(newest.id), to: target) { change in
            switch change {
            case .added(let file): candidates.remove(file.path)
            case .changed: break
            case .removed(let file):
                lost += 1
                candidates.insert(file.path)
            }
        }
        return (lost, candidates)
    }

    /// Parts paths that are not in the snapshot; what has simply left the storage is in neither.
    private func parted(_ paths: Set<StorePath>, _ pass: Pass, _ before: Missing) -> Missing {
        var missing = Missing()
        for path in paths {
            if pass.withdrawn.contains(path) {
                missing.withdrawn.insert(path)
            } else if before.withdrawn.contains(path), pass.isIncomplete || !isThere(path, pass) {
                missing.withdrawn.insert(path)
            } else if isThere(path, pass) {
                missing.withheld.insert(path)
            }
        }
        return missing
    }

    /// Whether a path has not left the storage, as far as anybody can tell (FORMAT.md §4).
    private func isThere(_ path: StorePath, _ pass: Pass) -> Bool {
        if pass.isIncomplete || pass.takenAway.contains(path) { return true }
        do { return try stands(path, pass) } catch { return true }
    }

    private func stands(_ path: StorePath, _ pass: Pass) throws(FileSystemError) -> Bool {
        let place = pass.locations.partitioningIndex { !($0.package < path.package) }
        let isFound = place < pass.locations.count && pass.locations[place].package == path.package
        let directory = isFound ? pass.locations[place].directory : layout.directory(of: path.package)
        return try DiskFileSystem().status(of: directory.appending(path.file.text)) != nil
    }

    private func freeID(at moment: Timestamp) throws -> SnapshotID {
        var number = 1
        while true {
            let text = number == 1 ? moment.compact : "\(moment.compact)-\(number)"
            if let id = SnapshotID(text), try DiskFileSystem().status(of: store.directory.appending(text)) == nil { return id }
            number += 1
        }
    }
}

extension Array {
    /// The place of the first element that passes, in an array whose elements that pass stand behind all others.
    fileprivate func partitioningIndex(where isBehind: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
