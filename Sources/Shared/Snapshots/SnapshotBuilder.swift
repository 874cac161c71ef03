import Integrity
package import PackageStore
package import Platform
import SystemPackage

/// Where records of earlier scans are kept; the catalog is one.
package protocol ScanRecords: Sendable {
    /// The records of packages whose `sortKey` lies between two, both included.
    func records(from first: PackageName, through last: PackageName) throws -> [PackageName: PackageRecord]
    /// What upstream says otherwise than the storage, of packages whose `sortKey` lies between two, both included; empty overlays left out.
    func overlays(from first: PackageName, through last: PackageName) throws -> [PackageName: UpstreamOverlay]
    /// Keeps records, replacing older ones. Durable when it returns.
    func keep(_ records: [(PackageName, PackageRecord)]) throws
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
            "\(lost) of the \(of) files of snapshot \(previous) are gone; is the storage mounted?"
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

    /// Scans the storage until a pass finds nothing changed, at most five times, and writes the snapshot.
    ///
    /// Where the content equals that of the newest snapshot, nothing is written and that one is returned.
    ///
    /// - Throws: `Shrunk`, `TooLarge`; `FileSystemError` when the storage cannot be read or the state not written. Then no snapshot was made.
    package func take(_ options: Options = Options()) throws -> Report {
        let files = DiskFileSystem()
        try files.createDirectories(store.objects)
        let draft = store.directory.appending(".manifest.draft")
        let started = clock.now()
        var hashedFiles = 0
        var hashedBytes: Int64 = 0
        for number in 1...Self.passLimit {
            let pass = try scan(into: draft, options: options)
            hashedFiles += pass.hashedFiles
            hashedBytes += pass.hashedBytes
            let isSettled = pass.changed == 0
            if !isSettled, number < Self.passLimit { continue }
            let (header, withheld, isNew) = try commit(pass, draft: draft, started: started, isSettled: isSettled, options: options)
            return Report(
                header: header, isNew: isNew, findings: pass.findings, withheld: withheld, hashedFiles: hashedFiles,
                hashedBytes: hashedBytes, passes: number)
        }
        preconditionFailure("the last pass returns")
    }

    /// One pass over the whole storage.
    private struct Pass {
        var changed = 0
        /// Where packages lie, sorted by name.
        var locations: [StorageLayout.Location] = []
        /// Whether packages may lie where they were not found.
        var isIncomplete = false
        var findings: [Finding] = []
        var hashedFiles = 0
        var hashedBytes: Int64 = 0
        var writer: FileWriter?
        var counts = ContentCounts()
        var stateRoot = SHA512Digest.ofNothing
    }

    private func scan(into draft: FilePath, options: Options) throws -> Pass {
        var pass = Pass()
        let found = try layout.discover()
        pass.locations = found.packages
        pass.findings = found.findings
        pass.isIncomplete = found.findings.contains {
            $0.code == .unreadable || $0.code == .ambiguousPackage || $0.code == .misplacedPackage
        }
        let scanner = PackageScanner(store: store, scanStart: clock.now().nanoseconds)
        var next = 0
        let pipeline = OrderedPipeline<[(StorageLayout.Location, PackageRecord?)], [PackageScan]>(
            width: options.width, window: options.width * 4,
            pull: {
                guard next < found.packages.count else { return nil }
                let batch = found.packages[next..<min(next + Self.batch, found.packages.count)]
                next += batch.count
                guard let first = batch.first, let last = batch.last else { return nil }
                let known = try records.records(from: first.package, through: last.package)
                return batch.map { ($0, known[$0.package]) }
            },
            transform: { try scanner.scan($0) })
        let manifest = try SnapshotManifestWriter(creating: draft)
        var fresh: [(PackageName, PackageRecord)] = []
        var done = 0
        while let scans = try pipeline.next() {
            for scan in scans {
                try manifest.add(package: scan.record.files(of: scan.package))
                guard manifest.counts.files <= options.fileLimit else {
                    _ = try DiskFileSystem().remove(draft)
                    throw TooLarge(limit: options.fileLimit)
                }
                pass.findings += scan.record.findings + scan.passingFindings
                pass.hashedFiles += scan.hashedFiles
                pass.hashedBytes += scan.hashedBytes
                if !scan.isUnchanged { pass.changed += 1 }
                if scan.isNewRecord { fresh.append((scan.package, scan.record)) }
            }
            done += scans.count
            if fresh.count >= 4096 { try keep(&fresh) }
            progress(done, found.packages.count, pass.hashedBytes)
        }
        try keep(&fresh)
        let (writer, counts, stateRoot) = try manifest.finish()
        pass.writer = writer
        pass.counts = counts
        pass.stateRoot = stateRoot
        return pass
    }

    /// Records name transfer forms, so those are made durable first.
    private func keep(_ fresh: inout [(PackageName, PackageRecord)]) throws {
        guard !fresh.isEmpty else { return }
        try DiskFileSystem().syncFileSystem(holding: store.objects)
        try records.keep(fresh)
        fresh = []
    }

    private func commit(
        _ pass: Pass, draft: FilePath, started: Timestamp, isSettled: Bool, options: Options
    ) throws -> (SnapshotHeader, withheld: [StorePath], isNew: Bool) {
        let files = DiskFileSystem()
        let newest = try store.headers().last
        let before = try newest.map { try store.withheldPaths(of: $0.id) } ?? []
        if let newest, newest.stateRoot == pass.stateRoot, newest.isSettled == isSettled, before.allSatisfy({ isThere($0, pass) }) {
            _ = try files.remove(draft)
            return (newest, before.sorted(), false)
        }
        let header = SnapshotHeader(
            id: try freeID(at: started), counter: (newest?.counter ?? 0) + 1, origin: origin, created: started, isSettled: isSettled,
            stateRoot: pass.stateRoot, counts: pass.counts, findings: pass.findings.count)
        try pass.writer?.overwrite(header.firstLine(), at: 0)
        try pass.writer?.sync()
        try pass.writer?.close()
        var withheld: [StorePath] = []
        if let newest {
            let (lost, standing) = try compare(pass, in: draft, with: newest, withholding: before)
            if !options.allowsShrinking, lost * 20 > newest.counts.files {
                _ = try files.remove(draft)
                throw Shrunk(lost: lost, of: newest.counts.files, previous: newest.id)
            }
            withheld = standing
        }
        let folder = store.directory.appending(header.id.text)
        _ = try files.createDirectory(folder)
        if !withheld.isEmpty {
            let list = store.withheldList(of: header.id)
            try files.write(Array(withheld.map { "\($0)\n" }.joined().utf8), to: list)
            try files.sync(list)
        }
        try files.rename(draft, to: store.manifest(of: header.id))
        try files.syncDirectory(folder)
        try files.syncDirectory(store.directory)
        return (header, withheld, true)
    }

    /// Counts what the newest snapshot holds and the draft does not, and names what of that, or of what was withheld before, has not left.
    private func compare(
        _ pass: Pass, in draft: FilePath, with newest: SnapshotHeader, withholding before: Set<StorePath>
    ) throws -> (lost: Int, withheld: [StorePath]) {
        guard let target = try SnapshotReader(opening: draft) else { return (0, []) }
        var lost = 0
        var withheld = before.filter { isThere($0, pass) }
        try forEachChange(from: store.open(newest.id), to: target) { change in
            switch change {
            case .added(let file): withheld.remove(file.path)
            case .changed: break
            case .removed(let file):
                lost += 1
                if isThere(file.path, pass) { withheld.insert(file.path) }
            }
        }
        return (lost, withheld.sorted())
    }

    /// Whether a path has not left the storage, as far as anybody can tell (FORMAT.md §4).
    private func isThere(_ path: StorePath, _ pass: Pass) -> Bool {
        if pass.isIncomplete { return true }
        let place = pass.locations.partitioningIndex { !($0.package < path.package) }
        let isFound = place < pass.locations.count && pass.locations[place].package == path.package
        let directory = isFound ? pass.locations[place].directory : layout.directory(of: path.package)
        do { return try DiskFileSystem().status(of: directory.appending(path.file.text)) != nil } catch { return true }
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
