import Integrity
import Platform

/// Writes the covered bytes of an archive and keeps the digest of each of their chunks, both on a thread of its own.
final class ChunkedOutput {
    private let covered: Covered
    private let worker: WorkerPool<[UInt8]>
    private var piece: [UInt8] = []
    /// Bytes taken so far.
    private(set) var length: Int64 = 0
    /// Bytes that are handed over at once; chunks are whole numbers of them.
    private static let pieceSize = 1 << 20

    /// The writer is this object's until `finish`.
    init(_ writer: FileWriter) {
        let covered = Covered(writer)
        self.covered = covered
        // One thread, so that the pieces come in their order.
        worker = WorkerPool(width: 1, window: 4) { try covered.take($0) }
        piece.reserveCapacity(Self.pieceSize)
    }

    /// The chunk table; to be asked for after `finish`.
    var table: [UInt8] { covered.table }

    /// Takes the next bytes.
    ///
    /// - Throws: `FileSystemError` where bytes that were taken before cannot be written.
    func write(_ bytes: UnsafeRawBufferPointer) throws {
        length += Int64(bytes.count)
        var rest = bytes[...]
        while !rest.isEmpty {
            let next = rest.prefix(Self.pieceSize - piece.count)
            piece.append(contentsOf: UnsafeRawBufferPointer(rebasing: next))
            rest = rest.dropFirst(next.count)
            if piece.count == Self.pieceSize { try handOver() }
        }
    }

    /// Ends the last chunk and waits until all is written and digested.
    func finish() throws {
        if !piece.isEmpty { try handOver() }
        try worker.finish()
        covered.endChunk()
    }

    private func handOver() throws {
        let full = piece
        piece = []
        piece.reserveCapacity(Self.pieceSize)
        try worker.push(full)
    }
}

/// The side of the thread that writes; others touch it when that one has finished.
private final class Covered: @unchecked Sendable {
    private let writer: FileWriter
    private var hasher = SHA512Hasher()
    private var chunkLength: Int64 = 0
    private(set) var table: [UInt8] = []

    init(_ writer: FileWriter) {
        self.writer = writer
    }

    func take(_ piece: [UInt8]) throws {
        try piece.withUnsafeBytes { bytes in
            hasher.update(bytes)
            try writer.write(bytes)
        }
        chunkLength += Int64(piece.count)
        if chunkLength == BundleDescriptor.chunkSize { endChunk() }
    }

    func endChunk() {
        guard chunkLength > 0 else { return }
        hasher.finalize().append(to: &table)
        hasher = SHA512Hasher()
        chunkLength = 0
        writer.startWriteback()
    }
}
