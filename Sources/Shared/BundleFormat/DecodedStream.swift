import Archives
import Integrity
import Platform

/// The decompressed bytes of an archive: each chunk is digested before it reaches the decompressor.
final class DecodedStream {
    private let chunks: OrderedPipeline<Int, [UInt8]>
    private let decoder: ZstdDecoder
    private let coveredLength: Int64
    private let leadingLength: Int64
    private let progress: (Int64, Int64) -> Void
    private var chunk: [UInt8] = []
    private var position = 0
    private var passed: Int64 = 0
    private var firstFrameEnd: Int64?
    private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 64)

    init(source: ArchiveSource, tail: BundleTail, windowLogMax: Int32, progress: @escaping (Int64, Int64) -> Void) throws {
        decoder = try ZstdDecoder(windowLogMax: windowLogMax)
        coveredLength = tail.descriptor.coveredLength
        leadingLength = tail.descriptor.leadingLength
        self.progress = progress
        let count = tail.chunks.count
        let covered = coveredLength
        let digests = tail.chunks
        var next = 0
        chunks = OrderedPipeline(
            width: 1, window: 3,
            pull: {
                guard next < count else { return nil }
                defer { next += 1 }
                return next
            },
            transform: { index in
                let start = Int64(index) * BundleDescriptor.chunkSize
                let end = min(start + BundleDescriptor.chunkSize, covered)
                let bytes = try source.read(Int(end - start), at: start)
                guard bytes.count == Int(end - start), SHA512.digest(of: bytes) == digests[index] else {
                    throw BundleError(.damaged, source.place(of: start..<end), "its digest is wrong; copy or export the bundle again")
                }
                return bytes
            })
    }

    deinit { output.deallocate() }

    /// The next decompressed bytes, valid until the next call; empty at the end.
    func next() throws -> UnsafeRawBufferPointer {
        while true {
            if position == chunk.count {
                guard let more = try chunks.next() else {
                    guard decoder.isAtFrameBoundary else { throw BundleError(.damaged, "the archive", "its last frame does not end") }
                    return UnsafeRawBufferPointer(start: nil, count: 0)
                }
                chunk = more
                position = 0
                passed += Int64(more.count)
                progress(passed, coveredLength)
            }
            if decoder.isAtFrameBoundary { try refuseSkippableFrame() }
            let step: ZstdDecoder.Step
            do {
                step = try chunk.withUnsafeBytes { bytes in
                    try decoder.decode(UnsafeRawBufferPointer(rebasing: bytes[position...]), into: output)
                }
            } catch let error as ArchiveError {
                throw BundleError(.damaged, "the archive", error.description)
            }
            position += step.consumed
            if firstFrameEnd == nil, decoder.isAtFrameBoundary { firstFrameEnd = passed - Int64(chunk.count - position) }
            if step.produced > 0 { return UnsafeRawBufferPointer(rebasing: output[..<step.produced]) }
        }
    }

    /// To be called at the end: every chunk must have passed, and the leading frame have ended where the descriptor says.
    func finish() throws {
        guard try next().isEmpty, passed == coveredLength else {
            throw BundleError(.hostile, "the archive", "data after the end of the tar")
        }
        guard firstFrameEnd == leadingLength else {
            throw BundleError(.malformed, "the archive", "its leading frame does not end where the descriptor says")
        }
    }

    /// A skippable frame among the data frames could hide bytes from every other reader.
    private func refuseSkippableFrame() throws {
        guard chunk.count - position >= 4 else { return }
        let magic = chunk[position..<(position + 4)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        if magic & 0xFFFF_FFF0 == 0x184D_2A50 { throw BundleError(.hostile, "the archive", "a hidden frame between its frames") }
    }
}
