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

        package var description: String {
            switch self {
            case .notADirectory(let path): "\"\(path)\" is not a directory; is the medium mounted?"
            case .noSpace(let needed, let free): "the medium has room for \(free) bytes, and \(needed) are needed"
            case .readBackDiffers(let path): "\"\(path)\" does not read back as it was written; the medium is damaged or a fake"
            case .badVolumeSize(let size): "\(size) is not a volume size; it must be a multiple of 4194304 bytes"
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
    /// A bundle that is on the medium already is read back and compared, not written again.
    ///
    /// - Throws: `Refusal`, `FileSystemError`, `BundleError`. The bundle is then not in the index, and everything else is as it was.
    package func export(_ archive: ArchiveSource, volumeSize: Int64?) throws -> MediumEntry {
        if let volumeSize, volumeSize <= 0 || volumeSize % BundleDescriptor.chunkSize != 0 { throw Refusal.badVolumeSize(volumeSize) }
        guard try files.status(of: medium.root)?.kind == .directory else { throw Refusal.notADirectory(medium.root) }
        let tail = try BundleTail(of: archive)
        var entries = try medium.entries() ?? []
        let summary = MediumEntry.Summary(tail.descriptor)
        if let entry = entries.first(where: { $0.descriptor == summary }) {
            try readBack(entry, in: medium.directory(of: summary.bundle), total: archive.length)
            return entry
        }
        let space = try FileSystemSpace(holding: medium.root)
        let needed = archive.length + Int64(tail.chunkTable.count) + 1 << 20
        guard space.freeBytes >= needed else { throw Refusal.noSpace(needed: needed, free: space.freeBytes) }
        try prepareFolders()
        let draft = medium.folder.appending("bundles").appending(".\(summary.bundle).draft")
        try files.removeTree(draft)
        _ = try files.createDirectory(draft)
        do {
            let entry = try fill(draft, archive: archive, tail: tail, summary: summary, volumeSize: volumeSize)
            try files.syncDirectory(draft)
            let final = medium.directory(of: summary.bundle)
            try files.removeTree(final)
            try files.rename(draft, to: final)
            try files.syncDirectory(medium.folder.appending("bundles"))
            try readBack(entry, in: final, total: archive.length)
            entries.append(entry)
            try files.replace(medium.folder.appending("index.json"), with: MediumIndex.bytes(entries))
            return entry
        } catch {
            try? files.removeTree(draft)
            throw error
        }
    }

    private func prepareFolders() throws {
        for name in ["bundles", "receipts", "requests"] { try files.createDirectories(medium.folder.appending(name)) }
        let readme = medium.folder.appending("README.txt")
        let text = Array(MediumReadme.text.utf8)
        if try files.contents(of: readme, limit: 1 << 20) != text { try files.replace(readme, with: text) }
        try files.syncDirectory(medium.folder)
        try files.syncDirectory(medium.root)
    }

    private func fill(
        _ draft: FilePath, archive: ArchiveSource, tail: BundleTail, summary: MediumEntry.Summary, volumeSize: Int64?
    ) throws -> MediumEntry {
        var volumes: [MediumEntry.Volume] = []
        var offset: Int64 = 0
        let isCut = volumeSize.map { $0 < archive.length } ?? false
        while offset < archive.length {
            let size = min(volumeSize ?? archive.length, archive.length - offset)
            guard volumes.count < Medium.volumeLimit else { throw Refusal.badVolumeSize(volumeSize ?? 0) }
            let number = String(String(volumes.count + 1001).dropFirst())
            let name = "\(summary.label).tar.zst\(isCut ? ".\(number)" : "")"
            let digest = try copy(archive, from: offset, size: size, to: draft.appending(name))
            volumes.append(MediumEntry.Volume(name: name, size: size, digest: digest))
            offset += size
        }
        var sums = volumes.map { "\($0.digest)  \($0.name)\n" }.joined()
        var papers: [(String, [UInt8])] = [("descriptor.json", tail.descriptorBytes), ("chunks.sha512", tail.chunkTable)]
        for (index, signature) in tail.signatures.enumerated() {
            papers.append(("descriptor.json\(index == 0 ? "" : ".\(index + 1)").minisig", Array(signature.fileText.utf8)))
        }
        for (name, bytes) in papers {
            try write(bytes, to: draft.appending(name))
            if !name.hasSuffix(".minisig") { sums += "\(SHA512.digest(of: bytes))  \(name)\n" }
        }
        try write(Array(sums.utf8), to: draft.appending("SHA512SUMS"))
        return MediumEntry(descriptor: summary, volumes: volumes)
    }

    private func write(_ bytes: [UInt8], to path: FilePath) throws(FileSystemError) {
        try files.write(bytes, to: path)
        try files.sync(path)
    }

    private func copy(_ archive: ArchiveSource, from start: Int64, size: Int64, to path: FilePath) throws -> SHA512Digest {
        let writer = try FileWriter(creating: path)
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
            try writer.write(piece)
            done += Int64(count)
            progress((start + done) / 2, archive.length)
        }
        try writer.sync()
        try writer.close()
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
