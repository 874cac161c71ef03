import BundleFormat
import Integrity
import Platform
import SystemPackage

/// Copies volumes of an archive to a medium and reads them back.
struct VolumeCopy {
    let archive: ArchiveSource
    let files: any FileSystem
    let watch: MediumWatch
    let progress: MediumWriter.Progress
    /// Bytes of all that is to be copied.
    let total: Int64

    /// So many bytes are made durable at once, so that what is measured is the medium and not the memory before it.
    private static let stride: Int64 = 64 << 20

    /// Makes a volume stand at a path, durably; what stands there of it already is compared and kept.
    ///
    /// - Parameter done: bytes that were copied before it.
    /// - Returns: its digest, and whether all of it stood there and came back from the device as it should.
    func copy(_ volume: VolumeCut.Volume, to path: FilePath, done: Int64) throws -> (digest: SHA512Digest, isProven: Bool) {
        let hasher = SHA512Hasher()
        let kept = try keptBytes(of: volume, at: path, hasher, done: done)
        if kept == volume.size, try files.status(of: path)?.identity.size == kept { return (hasher.finalize(), true) }
        if try files.status(of: path) == nil { try files.write([], to: path) } else { try files.truncate(path, to: kept) }
        var unsynced: Int64 = 0
        try forEachPiece(of: volume, from: kept) { piece, end in
            try watch.require()
            hasher.update(piece)
            try files.append(piece, to: path)
            unsynced += Int64(piece.count)
            if unsynced >= Self.stride {
                try files.sync(path)
                unsynced = 0
            }
            progress(.writing, done + end, total)
        }
        try files.sync(path)
        return (hasher.finalize(), false)
    }

    /// Digests a volume as it is in the archive.
    func digest(of volume: VolumeCut.Volume) throws -> SHA512Digest {
        let hasher = SHA512Hasher()
        try forEachPiece(of: volume, from: 0) { piece, _ in hasher.update(piece) }
        return hasher.finalize()
    }

    /// Throws where what comes back from the device is not the volume.
    func readBack(_ volume: MediumEntry.Volume, at path: FilePath, done: Int64) throws {
        guard let reader = try FileReader(opening: path) else { throw MediumWriter.Refusal.readBackDiffers(path) }
        reader.dropCache()
        reader.adviseSequential()
        let hasher = SHA512Hasher()
        var offset: Int64 = 0
        try withBuffer { buffer in
            while true {
                let count = try reader.read(into: buffer, at: offset)
                if count == 0 { break }
                hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                offset += Int64(count)
                progress(.readingBack, done + offset, total)
            }
        }
        guard offset == volume.size, hasher.finalize() == volume.digest else { throw MediumWriter.Refusal.readBackDiffers(path) }
    }

    /// How many bytes at the beginning of what stands at a path are those of the volume, as the device gives them.
    ///
    /// What is no file, or cannot be read, is removed.
    private func keptBytes(of volume: VolumeCut.Volume, at path: FilePath, _ hasher: SHA512Hasher, done: Int64) throws -> Int64 {
        guard let status = try files.status(of: path) else { return 0 }
        guard status.kind == .file, let reader = try? FileReader(opening: path) else {
            try files.removeTree(path)
            return 0
        }
        reader.dropCache()
        var kept: Int64 = 0
        var isEqual = true
        try withBuffer { buffer in
            try forEachPiece(of: volume, from: 0) { piece, end in
                guard isEqual else { return }
                let there = UnsafeMutableRawBufferPointer(rebasing: buffer[..<piece.count])
                guard let count = try? reader.read(into: there, at: end - Int64(piece.count)), count == piece.count,
                    UnsafeRawBufferPointer(there).isEqual(to: piece)
                else { return isEqual = false }
                hasher.update(piece)
                kept = end
                progress(.readingBack, done + end, total)
            }
        }
        return kept
    }

    /// Hands over the pieces of a volume from an offset on, each with where it ends in the volume.
    private func forEachPiece(
        of volume: VolumeCut.Volume, from first: Int64, _ body: (UnsafeRawBufferPointer, Int64) throws -> Void
    ) throws {
        try withBuffer { buffer in
            var done = first
            while done < volume.size {
                let wanted = Int(min(Int64(buffer.count), volume.size - done))
                let count = try archive.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: volume.offset + done)
                guard count > 0 else { throw BundleError(.damaged, "the archive", "it ends while it is copied") }
                done += Int64(count)
                try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]), done)
            }
        }
    }

    private func withBuffer(_ body: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(BundleDescriptor.chunkSize), alignment: 4096)
        defer { buffer.deallocate() }
        try body(buffer)
    }
}
