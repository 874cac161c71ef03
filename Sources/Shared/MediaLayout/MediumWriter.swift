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
        case noSpace(needed: Int64, free: Int64)
        /// What came back from the device is not what was written.
        case readBackDiffers(FilePath)
        case badVolumeSize(Int64)
        /// Something else than a directory stands where one of ours belongs.
        case obstructed(FilePath)
        /// The index would become longer than a reader takes.
        case indexFull(FilePath)

        package var description: String {
            switch self {
            case .notADirectory(let path): "\"\(path)\" is not a directory; is the medium mounted?"
            case .noSpace(let needed, let free):
                "the medium has room for \(Swift.max(free, 0)) bytes, and \(needed) are needed; bundles that were imported may be removed"
            case .readBackDiffers(let path): "\"\(path)\" does not read back as it was written; the medium is damaged or a fake"
            case .badVolumeSize(let size):
                "\(size) is not a volume size; it must be a multiple of 4194304 bytes and give at most \(Medium.volumeLimit) volumes"
            case .obstructed(let path): "\"\(path)\" is not a directory, and bundles are written nowhere else"
            case .indexFull(let path): "\"\(path)\" cannot list another bundle; remove bundles that were imported, or take an empty medium"
            }
        }
    }

    private let medium: Medium
    private let files: any FileSystem
    /// Told as bytes are written and read back: bytes done, bytes in all.
    private let progress: @Sendable (Int64, Int64) -> Void

    package init(
        medium: Medium, files: any FileSystem = DiskFileSystem(), progress: @escaping @Sendable (Int64, Int64) -> Void = { _, _ in }
    ) {
        self.medium = medium
        self.files = files
        self.progress = progress
    }

    /// Copies the archive, cut into volumes where `volumeSize` bytes are given, and lists it in the index last.
    ///
    /// A bundle that is on the medium already, whole and cut as asked for, is read back and compared, not written again. Another cut,
    /// and a copy that is not whole, are written anew: the copy that stands there goes when the new one was read back, a damaged one
    /// before it where the room is needed. One export at a time: the medium's folder is locked.
    ///
    /// - Throws: `Refusal`, `ProcessLock.Held`, `FileSystemError`, `BundleError`. Everything else on the medium is then as it was, and
    ///   the index lists no copy of the bundle but one that stands there.
    package func export(_ archive: ArchiveSource, volumeSize: Int64?) throws -> MediumEntry {
        let lock = try lock()
        defer { withExtendedLifetime(lock) {} }
        let tail = try BundleTail(of: archive)
        let summary = MediumEntry.Summary(tail.descriptor)
        let plan = try self.plan(archive, summary: summary, volumeSize: volumeSize)
        var entries = try medium.entries() ?? []
        try removeLeftovers(of: summary, listed: entries)
        var isDamaged = false
        if let entry = entries.first(where: { $0.descriptor.bundle == summary.bundle }) {
            isDamaged = try !isWhole(entry, summary: summary, archive: archive, tail: tail)
            if !isDamaged, volumeSize == nil || entry.volumes.map(\.size) == plan.volumes.map(\.size) { return entry }
        }
        let others = entries.filter { $0.descriptor.bundle != summary.bundle }
        guard MediumIndex.fits(others + [plan]) else { throw Refusal.indexFull(indexPath) }
        let needed = archive.length + Int64(tail.chunkTable.count) + 1 << 20
        if isDamaged, try freeBytes() < needed { try forget(summary, in: &entries) }
        let free = try freeBytes()
        guard free >= needed else { throw Refusal.noSpace(needed: needed, free: free) }
        try writePapers()
        return try place(archive, tail: tail, plan: plan, entries: &entries)
    }

    /// Makes a medium of a directory: its folders, papers and an index; what is there already stays.
    ///
    /// - Throws: `Refusal`, `ProcessLock.Held`, `FileSystemError`, `DocumentError` where an index is there that cannot be read.
    package func initialise() throws {
        let lock = try lock()
        defer { withExtendedLifetime(lock) {} }
        try writePapers()
        if try medium.entries() == nil { try files.replace(indexPath, with: MediumIndex.bytes([])) }
    }

    /// Makes the folders, and keeps others from writing to them.
    private func lock() throws -> ProcessLock {
        guard try files.status(of: medium.root)?.kind == .directory else { throw Refusal.notADirectory(medium.root) }
        try prepareFolder(medium.folder)
        let lock = try ProcessLock(directory: medium.folder, holder: "another export writes to it")
        for name in Self.folders { try prepareFolder(medium.folder.appending(name)) }
        return lock
    }

    private static let folders = ["bundles", "receipts", "requests"]
    private var bundles: FilePath { medium.folder.appending("bundles") }
    private var indexPath: FilePath { medium.folder.appending("index.json") }
    private func draft(of summary: MediumEntry.Summary) -> FilePath { bundles.appending(".\(summary.bundle).draft") }

    private func freeBytes() throws(FileSystemError) -> Int64 { try FileSystemSpace(holding: medium.root).freeBytes }

    /// A link here would lead what is written out of the medium.
    private func prepareFolder(_ path: FilePath) throws {
        _ = try files.createDirectory(path)
        guard try files.status(of: path)?.kind == .directory else { throw Refusal.obstructed(path) }
    }

    /// What the bundle will be on the medium, with digests still to come.
    private func plan(_ archive: ArchiveSource, summary: MediumEntry.Summary, volumeSize: Int64?) throws -> MediumEntry {
        let size = volumeSize ?? archive.length
        guard size > 0, volumeSize == nil || size % BundleDescriptor.chunkSize == 0,
            (archive.length - 1) / size < Medium.volumeLimit
        else { throw Refusal.badVolumeSize(size) }
        let isCut = size < archive.length
        var volumes: [MediumEntry.Volume] = []
        for offset in stride(from: 0, to: archive.length, by: Int64.Stride(size)) {
            let number = String(String(volumes.count + 1001).dropFirst())
            volumes.append(
                MediumEntry.Volume(
                    name: "\(summary.label).tar.zst\(isCut ? ".\(number)" : "")", size: min(size, archive.length - offset),
                    digest: .ofNothing))
        }
        return MediumEntry(descriptor: summary, volumes: volumes)
    }

    /// Removes what killed exports left: drafts of any bundle, and this one where it was never listed.
    private func removeLeftovers(of summary: MediumEntry.Summary, listed entries: [MediumEntry]) throws {
        for name in try files.names(in: bundles) ?? [] where name.hasPrefix(".b-") && name.hasSuffix(".draft") {
            try files.removeTree(bundles.appending(name))
        }
        if !entries.contains(where: { $0.descriptor.bundle == summary.bundle }) {
            try files.removeTree(medium.directory(of: summary.bundle))
        }
    }

    /// Takes a bundle out of the index and off the medium.
    private func forget(_ summary: MediumEntry.Summary, in entries: inout [MediumEntry]) throws {
        entries.removeAll { $0.descriptor.bundle == summary.bundle }
        try files.replace(indexPath, with: MediumIndex.bytes(entries))
        try files.removeTree(medium.directory(of: summary.bundle))
    }

    /// Writes the bundle as a draft, reads it back, gives it its name and lists it; a copy that stood there goes before that.
    private func place(
        _ archive: ArchiveSource, tail: BundleTail, plan: MediumEntry, entries: inout [MediumEntry]
    ) throws -> MediumEntry {
        let summary = plan.descriptor
        let draft = draft(of: summary)
        let final = medium.directory(of: summary.bundle)
        _ = try files.createDirectory(draft)
        do {
            let entry = try fill(draft, archive: archive, tail: tail, plan: plan)
            try files.syncDirectory(draft)
            try readBack(entry, in: draft, total: archive.length)
            if entries.contains(where: { $0.descriptor.bundle == summary.bundle }) { try forget(summary, in: &entries) }
            try files.rename(draft, to: final)
            try files.syncDirectory(bundles)
            try files.replace(indexPath, with: MediumIndex.bytes(entries + [entry]))
            return entry
        } catch {
            try? files.removeTree(draft)
            // The index on the medium decides, since its replacement may have come to pass though it failed.
            let listed = try? medium.entries() ?? []
            if let listed, !listed.contains(where: { $0.descriptor.bundle == summary.bundle }) { try? files.removeTree(final) }
            throw error
        }
    }

    private func writePapers() throws {
        let readme = medium.folder.appending("README.txt")
        let text = Array(MediumReadme.text.utf8)
        if (try? files.contents(of: readme, limit: text.count)) != text { try files.replace(readme, with: text) }
        try files.syncDirectory(medium.folder)
        try files.syncDirectory(medium.root)
    }

    /// The files beside the archive, in the order of `SHA512SUMS`, which is the last.
    private func papers(_ tail: BundleTail, volumes: [MediumEntry.Volume]) -> [(name: String, bytes: [UInt8])] {
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
    private func isWhole(
        _ entry: MediumEntry, summary: MediumEntry.Summary, archive: ArchiveSource, tail: BundleTail
    ) throws -> Bool {
        guard entry.descriptor == summary, entry.size == archive.length else { return false }
        let directory = medium.directory(of: summary.bundle)
        let hasPapers = try isReadable {
            try files.status(of: directory)?.kind == .directory
                && papers(tail, volumes: entry.volumes).allSatisfy { name, bytes in
                    try files.contents(of: directory.appending(name), limit: bytes.count) == bytes
                }
        }
        guard hasPapers else { return false }
        var offset: Int64 = 0
        for volume in entry.volumes {
            guard try digest(of: archive, from: offset, size: volume.size) == volume.digest else { return false }
            offset += volume.size
        }
        return try isReadable {
            try readBack(entry, in: directory, total: archive.length)
            return true
        }
    }

    /// Whether a check of what is on the medium passes; that it cannot be made is a no.
    private func isReadable(_ check: () throws -> Bool) throws -> Bool {
        do { return try check() } catch is Refusal { return false } catch is FileSystemError { return false }
    }

    private func fill(_ draft: FilePath, archive: ArchiveSource, tail: BundleTail, plan: MediumEntry) throws -> MediumEntry {
        var volumes: [MediumEntry.Volume] = []
        var offset: Int64 = 0
        for volume in plan.volumes {
            let writer = try FileWriter(creating: draft.appending(volume.name))
            let digest = try digest(of: archive, from: offset, size: volume.size) {
                try writer.write($0)
                writer.startWriteback()
            }
            try writer.sync()
            try writer.close()
            volumes.append(MediumEntry.Volume(name: volume.name, size: volume.size, digest: digest))
            offset += volume.size
        }
        for (name, bytes) in papers(tail, volumes: volumes) { try write(bytes, to: draft.appending(name)) }
        return MediumEntry(descriptor: plan.descriptor, volumes: volumes)
    }

    private func write(_ bytes: [UInt8], to path: FilePath) throws(FileSystemError) {
        try files.write(bytes, to: path)
        try files.sync(path)
    }

    /// Reads a part of the archive, hands its pieces over, and digests it.
    private func digest(
        of archive: ArchiveSource, from start: Int64, size: Int64, _ body: (UnsafeRawBufferPointer) throws -> Void = { _ in }
    ) throws -> SHA512Digest {
        let hasher = SHA512Hasher()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        var done: Int64 = 0
        while done < size {
            let wanted = Int(min(Int64(buffer.count), size - done))
            let count = try archive.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: start + done)
            guard count > 0 else { throw BundleError(.damaged, "the archive", "it ends while it is copied") }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            hasher.update(piece)
            try body(piece)
            done += Int64(count)
            progress((start + done) / 2, archive.length)
        }
        return hasher.finalize()
    }

    /// Reads every volume from the device, not from the page cache.
    private func readBack(_ entry: MediumEntry, in directory: FilePath, total: Int64) throws {
        var done: Int64 = 0
        for volume in entry.volumes {
            let path = directory.appending(volume.name)
            guard let reader = try FileReader(opening: path) else { throw Refusal.readBackDiffers(path) }
            reader.dropCache()
            reader.adviseSequential()
            let hasher = SHA512Hasher()
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 << 20, alignment: 4096)
            defer { buffer.deallocate() }
            var offset: Int64 = 0
            while true {
                let count = try reader.read(into: buffer, at: offset)
                if count == 0 { break }
                hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                offset += Int64(count)
                done += Int64(count)
                progress((total + done) / 2, total)
            }
            guard offset == volume.size, hasher.finalize() == volume.digest else { throw Refusal.readBackDiffers(path) }
        }
    }
}
