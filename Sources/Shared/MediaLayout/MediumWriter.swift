package import BundleFormat
import Integrity
package import Platform
package import SystemPackage

/// Writes a bundle to a medium and reads it back (FORMAT.md §9, order of writing).
package struct MediumWriter: Sendable {
    /// What keeps a bundle from being written.
    ///
    /// What the medium held before is as it was.
    package enum Refusal: Error, Equatable, CustomStringConvertible {
        case notADirectory(FilePath)
        /// What came back from the device is not what was written.
        case readBackDiffers(FilePath)
        case badVolumeSize(Int64)
        /// The medium's file system takes no file that long.
        case tooLargeFiles(Medium, size: Int64, limit: Int64)
        /// Something else than a directory stands where one of ours belongs.
        case obstructed(FilePath)
        /// No such bundles are on the medium.
        case notThere(Medium, [String])
        /// The index would become longer than a reader takes.
        case indexFull(FilePath)

        package var description: String {
            switch self {
            case .notADirectory(let path): "\"\(path)\" is not a directory; is the medium mounted?"
            case .readBackDiffers(let path): "\"\(path)\" does not read back as it was written; the medium is damaged or a fake"
            case .badVolumeSize(let size):
                "\(size) is not a volume size; it must be a multiple of 4194304 bytes and give at most \(Medium.volumeLimit) volumes"
            case .tooLargeFiles(let medium, let size, let limit):
                "\(medium) takes no file of \(size) bytes; volumes of \(limit >> 20) MiB and less fit its file system"
            case .obstructed(let path): "\"\(path)\" is not a directory, and bundles are written nowhere else"
            case .notThere(let medium, let bundles): "\(medium) does not carry \(bundles.joined(separator: ", "))"
            case .indexFull(let path): "\"\(path)\" cannot list another bundle; remove bundles that were imported, or take an empty medium"
            }
        }
    }

    /// What is being done with the bytes of an archive.
    package enum Phase: Sendable, Hashable { case writing, readingBack }

    /// Told of bytes that were written, or read back: those done, and those in all.
    package typealias Progress = @Sendable (_ phase: Phase, _ done: Int64, _ total: Int64) -> Void

    /// Told of a bundle that was removed to make room, and of its bytes.
    package typealias Removal = @Sendable (_ bundle: String, _ bytes: Int64) -> Void

    let medium: Medium
    let files: any FileSystem
    let spent: SpentBundles
    let progress: Progress
    let removal: Removal

    /// - Parameter spent: what may go from the medium where room is short; nothing by default.
    package init(
        medium: Medium, files: any FileSystem = DiskFileSystem(), spent: SpentBundles = .none,
        progress: @escaping Progress = { _, _, _ in }, removal: @escaping Removal = { _, _ in }
    ) {
        self.medium = medium
        self.files = files
        self.spent = spent
        self.progress = progress
        self.removal = removal
    }

    /// Copies the archive, cut into volumes where `volumeSize` bytes are given, and lists it in the index last.
    ///
    /// Where the medium's file system takes no file that long, the archive is cut by its limit.
    ///
    /// A bundle that is on the medium already, whole and cut as asked for, is read back and compared, not written again; nor is what an
    /// export wrote that was killed, or whose medium was pulled out. Another cut, and a copy that is not whole, are written anew: the copy
    /// that stands there goes when the new one was read back, a damaged one before it where the room is needed. Where room is short, so do
    /// spent bundles, the oldest first, as many as it takes. One export at a time: the medium's folder is locked.
    ///
    /// - Throws: `MediumTrouble`, `Refusal`, `ProcessLock.Held`, `FileSystemError`, `BundleError`. Everything else on the medium is then as
    ///   it was, and the index lists no copy of the bundle but one that stands there.
    package func export(_ archive: ArchiveSource, volumeSize: Int64?) throws -> MediumEntry {
        let tail = try BundleTail(of: archive)
        // A file system that takes no file that long cuts by itself.
        let limit = medium.largestVolume.flatMap { archive.length > $0 ? $0 : nil }
        let cut = try VolumeCut(tail.descriptor.label, length: archive.length, volumeSize: volumeSize ?? limit)
        try refuseTooLarge(cut)
        return try writing(archive.length) { watch in
            let copy = VolumeCopy(archive: archive, files: files, watch: watch, progress: progress, total: archive.length)
            return try export(cut, tail, copy, isCutFree: volumeSize == nil)
        }
    }

    private func export(_ cut: VolumeCut, _ tail: BundleTail, _ copy: VolumeCopy, isCutFree: Bool) throws -> MediumEntry {
        let watch = copy.watch
        let summary = MediumEntry.Summary(tail.descriptor)
        var entries = try medium.entries() ?? []
        try removeLeftovers(of: summary, listed: entries)
        var isDamaged = false
        if let entry = entries.first(where: { $0.descriptor.bundle == summary.bundle }) {
            isDamaged = try !isWhole(entry, summary, tail, copy)
            if !isDamaged, isCutFree || entry.volumes.map(\.size) == cut.volumes.map(\.size) { return entry }
        }
        let planned = MediumEntry(
            descriptor: summary,
            volumes: cut.volumes.map { MediumEntry.Volume(name: $0.name, size: $0.size, digest: .ofNothing) })
        let others = entries.filter { $0.descriptor.bundle != summary.bundle }
        guard MediumIndex.fits(others + [planned]) else { throw Refusal.indexFull(indexPath) }
        let needed = try cut.length + Int64(tail.chunkTable.count) + 1 << 20 - keptBytes(draft(of: summary), cut)
        if isDamaged, try freeBytes() < needed { try forget(summary, in: &entries) }
        if try makeRoom(self.needed(needed, volumes: cut.count, tail), sparing: summary.bundle, watch) {
            entries = try medium.entries() ?? []
        }
        let free = try freeBytes()
        guard free >= needed else { throw MediumTrouble.full(medium, needed: needed, free: free) }
        try writePapers()
        return try place(cut, tail, copy, entries: &entries)
    }

    /// Puts the importer on the medium, as `tools/ferry-offline-<architecture>`; one that is there already and is the same stays.
    ///
    /// - Throws: as `export(_:volumeSize:)`; `FileSystemError` where there is no such program.
    package func install(importer program: FilePath) throws {
        guard let reader = try FileReader(opening: program) else { throw FileSystemError("open", program, .noSuchFileOrDirectory) }
        let size = try reader.status().identity.size
        try writing(size) { watch in
            try writePapers()
            let name = "ferry-offline-\(MediumTools.architecture)"
            let path = medium.folder.appending("tools").appending(name)
            let draft = medium.folder.appending("tools").appending(".\(name).draft")
            let copy = VolumeCopy(
                archive: try ArchiveSource(volumes: [program]), files: files, watch: watch, progress: progress, total: size)
            let volume = VolumeCut.Volume(number: 1, name: name, offset: 0, size: size)
            let digest = try copy.digest(of: volume)
            let entry = MediumEntry.Volume(name: name, size: size, digest: digest)
            if (try? copy.readBack(entry, at: path, done: 0)) != nil { return }
            try makeRoom(Room(bytes: size + 1 << 20, files: 1), sparing: nil, watch)
            let free = try freeBytes()
            guard free >= size + 1 << 20 else { throw MediumTrouble.full(medium, needed: size + 1 << 20, free: free) }
            do {
                _ = try copy.copy(volume, to: draft, done: 0)
                try copy.readBack(entry, at: draft, done: 0)
                // A file system without owners and modes lets everybody run everything.
                if let status = try files.status(of: draft) {
                    try? files.setAttributes(of: draft, owner: status.owner, group: status.group, mode: 0o755)
                }
                try files.rename(draft, to: path)
                try files.syncDirectory(path.removingLastComponent())
            } catch {
                if watch.isThere { _ = try? files.remove(draft) }
                throw error
            }
        }
    }

    /// Makes a medium of a directory: its folders, papers and an index; what is there already stays.
    ///
    /// - Throws: `MediumTrouble`, `Refusal`, `ProcessLock.Held`, `FileSystemError`, `DocumentError` where an index is there that cannot be
    ///   read.
    package func initialise() throws {
        try writing(0) { _ in
            try writePapers()
            if try medium.entries() == nil { try files.replace(indexPath, with: MediumIndex.bytes([])) }
        }
    }

    /// Does work on the medium that nobody else may write to meanwhile; what goes wrong says what became of the medium.
    ///
    /// - Parameter needed: bytes that are to be written.
    func writing<Result>(_ needed: Int64, _ body: (MediumWatch) throws -> Result) throws -> Result {
        let watch = try MediumWatch(medium)
        do {
            let lock = try lock()
            defer { withExtendedLifetime(lock) {} }
            return try body(watch)
        } catch { throw watch.explained(error, needed: needed) }
    }

    func refuseTooLarge(_ cut: VolumeCut) throws {
        guard let limit = medium.largestVolume, min(cut.volumeSize, cut.length) > limit else { return }
        throw Refusal.tooLargeFiles(medium, size: min(cut.volumeSize, cut.length), limit: limit)
    }

    /// Makes the folders, and keeps others from writing to them.
    private func lock() throws -> ProcessLock {
        try prepareFolder(medium.folder)
        let lock = try ProcessLock(directory: medium.folder, holder: "another export writes to it")
        for name in Self.folders { try prepareFolder(medium.folder.appending(name)) }
        return lock
    }

    private static let folders = ["bundles", "receipts", "requests", "tools"]
    var bundles: FilePath { medium.folder.appending("bundles") }
    var indexPath: FilePath { medium.folder.appending("index.json") }
    private func draft(of summary: MediumEntry.Summary) -> FilePath { bundles.appending(".\(summary.bundle).draft") }

    func freeBytes() throws(FileSystemError) -> Int64 { try FileSystemSpace(holding: medium.root).freeBytes }

    /// A link here would lead what is written out of the medium.
    func prepareFolder(_ path: FilePath) throws {
        _ = try files.createDirectory(path)
        guard try files.status(of: path)?.kind == .directory else { throw Refusal.obstructed(path) }
    }

    /// Removes what killed exports left: drafts of other bundles, what does not belong into this one's, and this one where it was never
    /// listed.
    private func removeLeftovers(of summary: MediumEntry.Summary, listed entries: [MediumEntry]) throws {
        let own = draft(of: summary)
        for name in try files.names(in: bundles) ?? [] where name.hasPrefix(".b-") && name.hasSuffix(".draft") {
            let path = bundles.appending(name)
            if try path != own || files.status(of: path)?.kind != .directory { try files.removeTree(path) }
        }
        if !entries.contains(where: { $0.descriptor.bundle == summary.bundle }) {
            try files.removeTree(medium.directory(of: summary.bundle))
        }
    }

    /// How much of the room that a bundle needs its draft takes already; what is in it beside the bundle is removed.
    private func keptBytes(_ draft: FilePath, _ cut: VolumeCut) throws -> Int64 {
        let sizes = Dictionary(uniqueKeysWithValues: cut.volumes.map { ($0.name, $0.size) })
        return try (files.names(in: draft) ?? []).reduce(0) { sum, name in
            let path = draft.appending(name)
            guard let size = sizes[name], let status = try files.status(of: path), status.kind == .file else {
                try files.removeTree(path)
                return sum
            }
            return sum + min(status.identity.size, size)
        }
    }

    /// Takes a bundle out of the index and off the medium.
    private func forget(_ summary: MediumEntry.Summary, in entries: inout [MediumEntry]) throws {
        entries.removeAll { $0.descriptor.bundle == summary.bundle }
        try files.replace(indexPath, with: MediumIndex.bytes(entries))
        try files.removeTree(medium.directory(of: summary.bundle))
    }

    /// Writes the bundle as a draft, reads it back, gives it its name and lists it; a copy that stood there goes before that.
    private func place(_ cut: VolumeCut, _ tail: BundleTail, _ copy: VolumeCopy, entries: inout [MediumEntry]) throws -> MediumEntry {
        let summary = MediumEntry.Summary(tail.descriptor)
        let draft = draft(of: summary)
        let final = medium.directory(of: summary.bundle)
        _ = try files.createDirectory(draft)
        do {
            let entry = try fill(draft, cut, tail, copy)
            try copy.watch.require()
            if entries.contains(where: { $0.descriptor.bundle == summary.bundle }) { try forget(summary, in: &entries) }
            try files.rename(draft, to: final)
            try files.syncDirectory(bundles)
            try files.replace(indexPath, with: MediumIndex.bytes(entries + [entry]))
            return entry
        } catch {
            // A medium that was pulled out keeps what it has of the bundle, and what lies below its mount point is not ours.
            guard copy.watch.isThere else { throw error }
            try? files.removeTree(draft)
            // The index on the medium decides, since its replacement may have come to pass though it failed.
            let listed = try? medium.entries() ?? []
            if let listed, !listed.contains(where: { $0.descriptor.bundle == summary.bundle }) { try? files.removeTree(final) }
            throw error
        }
    }

    func writePapers() throws {
        let tools = medium.folder.appending("tools")
        for (path, text) in [
            (medium.folder.appending("README.txt"), MediumReadme.text), (tools.appending("verify.sh"), MediumTools.verifyScript),
        ] {
            let bytes = Array(text.utf8)
            if (try? files.contents(of: path, limit: bytes.count)) != bytes { try files.replace(path, with: bytes) }
        }
        try files.syncDirectory(medium.folder)
        try files.syncDirectory(medium.root)
    }

    /// The files beside the archive, in the order of `SHA512SUMS`, which is the last.
    static func papers(_ tail: BundleTail, volumes: [MediumEntry.Volume]) -> [(name: String, bytes: [UInt8])] {
        var papers: [(name: String, bytes: [UInt8])] = [("descriptor.json", tail.descriptorBytes), ("chunks.sha512", tail.chunkTable)]
        let sums =
            volumes.map { "\($0.digest)  \($0.name)\n" }.joined()
            + papers.map { "\(SHA512.digest(of: $0.bytes))  \($0.name)\n" }.joined()
        for (index, signature) in tail.signatures.enumerated() {
            papers.append(("descriptor.json\(index == 0 ? "" : ".\(index + 1)").minisig", Array(signature.fileText.utf8)))
        }
        return papers + [("SHA512SUMS", Array(sums.utf8))]
    }

    /// Whether the copy that the index lists is the archive, to its last byte on the device, with all its papers; what cannot be read
    /// of it is not.
    private func isWhole(_ entry: MediumEntry, _ summary: MediumEntry.Summary, _ tail: BundleTail, _ copy: VolumeCopy) throws -> Bool {
        guard entry.descriptor == summary, entry.size == copy.archive.length else { return false }
        let directory = medium.directory(of: summary.bundle)
        let hasPapers = try isReadable {
            try files.status(of: directory)?.kind == .directory
                && Self.papers(tail, volumes: entry.volumes).allSatisfy { name, bytes in
                    try files.contents(of: directory.appending(name), limit: bytes.count) == bytes
                }
        }
        guard hasPapers else { return false }
        var offset: Int64 = 0
        for volume in entry.volumes {
            let place = VolumeCut.Volume(number: 1, name: volume.name, offset: offset, size: volume.size)
            guard try copy.digest(of: place) == volume.digest else { return false }
            offset += volume.size
        }
        return try isReadable {
            var done: Int64 = 0
            for volume in entry.volumes {
                try copy.readBack(volume, at: directory.appending(volume.name), done: done)
                done += volume.size
            }
            return true
        }
    }

    /// Whether a check of what is on the medium passes; that it cannot be made is a no.
    private func isReadable(_ check: () throws -> Bool) throws -> Bool {
        do { return try check() } catch is Refusal { return false } catch is FileSystemError { return false }
    }

    /// Makes a draft hold the bundle, durably, and proves what was written by what the device gives back.
    private func fill(_ draft: FilePath, _ cut: VolumeCut, _ tail: BundleTail, _ copy: VolumeCopy) throws -> MediumEntry {
        var volumes: [(entry: MediumEntry.Volume, offset: Int64, isProven: Bool)] = []
        for volume in cut.volumes {
            let (digest, isProven) = try copy.copy(volume, to: draft.appending(volume.name), done: volume.offset)
            volumes.append((MediumEntry.Volume(name: volume.name, size: volume.size, digest: digest), volume.offset, isProven))
        }
        for (name, bytes) in Self.papers(tail, volumes: volumes.map(\.entry)) { try write(bytes, to: draft.appending(name)) }
        try files.syncDirectory(draft)
        for (volume, offset, isProven) in volumes where !isProven {
            try copy.readBack(volume, at: draft.appending(volume.name), done: offset)
        }
        return MediumEntry(descriptor: MediumEntry.Summary(tail.descriptor), volumes: volumes.map(\.entry))
    }

    private func write(_ bytes: [UInt8], to path: FilePath) throws(FileSystemError) {
        try files.write(bytes, to: path)
        try files.sync(path)
    }
}
