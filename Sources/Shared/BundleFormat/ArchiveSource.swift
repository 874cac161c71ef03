package import Platform
package import SystemPackage

/// The bytes of a bundle's archive: one file, or its volumes read as if they were joined.
package final class ArchiveSource: Sendable {
    private struct Volume: Sendable {
        let reader: FileReader
        let start: Int64
        let length: Int64
    }

    private let volumes: [Volume]
    /// Bytes in all.
    package let length: Int64

    /// Opens the volumes in their order.
    ///
    /// - Throws: `FileSystemError` for what is not there or cannot be read.
    package init(volumes paths: [FilePath]) throws(FileSystemError) {
        var volumes: [Volume] = []
        var start: Int64 = 0
        for path in paths {
            guard let reader = try FileReader(opening: path) else { throw FileSystemError("open", path, .noSuchFileOrDirectory) }
            let length = try reader.status().identity.size
            volumes.append(Volume(reader: reader, start: start, length: length))
            start += length
        }
        self.volumes = volumes
        length = start
    }

    /// The files it is read from.
    package var paths: [FilePath] { volumes.map(\.reader.path) }

    /// Reads at `offset` until `buffer` is full or the archive ends, and returns how many bytes there were.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileSystemError) -> Int {
        var filled = 0
        for volume in volumes where filled < buffer.count {
            let position = offset + Int64(filled) - volume.start
            guard position >= 0, position < volume.length else { continue }
            let count = min(Int64(buffer.count - filled), volume.length - position)
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<(filled + Int(count))])
            let found = try volume.reader.read(into: piece, at: position)
            filled += found
            if found < piece.count { break }
        }
        return filled
    }

    /// Reads exactly `count` bytes at `offset`; fewer where the archive ends before.
    package func read(_ count: Int, at offset: Int64) throws(FileSystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        var failure: FileSystemError?
        bytes.withUnsafeMutableBytes { buffer in
            do throws(FileSystemError) { filled = try read(into: buffer, at: offset) } catch { failure = error }
        }
        if let failure { throw failure }
        bytes.removeLast(count - filled)
        return bytes
    }

    /// Where a range of the archive lies, in words: `"diff-….tar.zst.002", bytes 68157440–72351743`.
    package func place(of range: Range<Int64>) -> String {
        let parts = volumes.compactMap { volume -> String? in
            let low = max(range.lowerBound, volume.start)
            let high = min(range.upperBound, volume.start + volume.length)
            guard low < high else { return nil }
            let name = volume.reader.path.lastComponent?.string ?? "archive"
            return "\"\(name)\", bytes \(low - volume.start)–\(high - volume.start - 1)"
        }
        return parts.isEmpty ? "bytes \(range.lowerBound)–\(range.upperBound - 1)" : parts.joined(separator: " and ")
    }
}
