import Integrity
import Platform

/// Writes the covered bytes of an archive and keeps the digest of each of their chunks.
final class ChunkedOutput {
    private let writer: FileWriter
    private var chunk: [UInt8] = []
    private(set) var table: [UInt8] = []
    /// Bytes written so far.
    private(set) var length: Int64 = 0
    private static let size = Int(BundleDescriptor.chunkSize)

    init(_ writer: FileWriter) {
        self.writer = writer
        chunk.reserveCapacity(Self.size)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        length += Int64(bytes.count)
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Self.size - chunk.count)
            chunk.append(contentsOf: piece)
            rest = rest.dropFirst(piece.count)
            if chunk.count == Self.size { try flush() }
        }
    }

    /// Ends the last chunk.
    func finish() throws {
        if !chunk.isEmpty { try flush() }
    }

    private func flush() throws {
        SHA512.digest(of: chunk).append(to: &table)
        try chunk.withUnsafeBytes { try writer.write($0) }
        chunk.removeAll(keepingCapacity: true)
    }
}
