import Integrity
import Platform
import Synchronization

/// Writes the covered bytes of an archive and keeps the digest of each of their chunks, digested on a thread of its own.
final class ChunkedOutput {
    private let writer: FileWriter
    private var chunk: [UInt8] = []
    private let digests = ChunkDigests()
    private let worker: WorkerPool<[UInt8]>
    /// Bytes written so far.
    private(set) var length: Int64 = 0
    private static let size = Int(BundleDescriptor.chunkSize)

    init(_ writer: FileWriter) {
        self.writer = writer
        // One thread, so that the digests come in the order of the chunks.
        worker = WorkerPool(width: 1, window: 1) { [digests] chunk in digests.append(SHA512.digest(of: chunk)) }
        chunk.reserveCapacity(Self.size)
    }

    /// The chunk table; to be asked for after `finish`.
    var table: [UInt8] { digests.table.withLock { $0 } }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        length += Int64(bytes.count)
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Self.size - chunk.count)
            chunk.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece))
            rest = rest.dropFirst(piece.count)
            if chunk.count == Self.size { try flush() }
        }
    }

    /// Ends the last chunk and waits for the digests.
    func finish() throws {
        if !chunk.isEmpty { try flush() }
        try worker.finish()
    }

    private func flush() throws {
        let full = chunk
        chunk = []
        chunk.reserveCapacity(Self.size)
        try worker.push(full)
        try full.withUnsafeBytes { try writer.write($0) }
        writer.startWriteback()
    }
}

private final class ChunkDigests: Sendable {
    let table = Mutex<[UInt8]>([])

    func append(_ digest: SHA512Digest) { table.withLock { digest.append(to: &$0) } }
}
