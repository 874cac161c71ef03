import CZstd

/// Writes zstd frames one after the other (RFC 8878), each with a content checksum.
///
/// The same calls and the same libzstd give the same bytes.
package final class ZstdFrameWriter {
    /// For bytes that are compressed already: libzstd's fastest level that still finds long repeats.
    package static let fastestLevel: Int32 = -50

    private let context: OpaquePointer
    private let sink: (UnsafeRawBufferPointer) throws -> Void
    private var output: [UInt8]

    /// - Parameter sink: takes the compressed bytes.
    package init(sink: @escaping (UnsafeRawBufferPointer) throws -> Void) throws(ArchiveError) {
        guard let context = ZSTD_createCCtx() else { throw ArchiveError(.library, "zstd", "no memory") }
        self.context = context
        self.sink = sink
        output = [UInt8](repeating: 0, count: ZSTD_CStreamOutSize())
    }

    deinit { ZSTD_freeCCtx(context) }

    /// Begins a frame.
    ///
    /// - Parameters:
    ///   - level: libzstd's compression level.
    ///   - workers: threads; 0 compresses on the caller's. The bytes depend on whether there are any, not on how many.
    ///   - jobSize: bytes that a worker compresses at a time, at least 512 KiB; the bytes depend on it, and it is what memory is taken for,
    ///     several times for each worker.
    ///   - windowLog: the window is 2 to this power; readers refuse more than 23.
    package func beginFrame(level: Int32, workers: Int32, jobSize: Int32 = 2 << 20, windowLog: Int32) throws(ArchiveError) {
        try check(ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters))
        try check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level))
        try check(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, windowLog))
        try check(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1))
        if workers > 0 {
            try check(ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, workers))
            try check(ZSTD_CCtx_setParameter(context, ZSTD_c_jobSize, jobSize))
        }
    }

    /// Compresses the next bytes of the frame.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        while input.pos < input.size { _ = try step(&input, ZSTD_e_continue) }
    }

    /// Ends the frame.
    package func endFrame() throws {
        var input = ZSTD_inBuffer(src: nil, size: 0, pos: 0)
        while try step(&input, ZSTD_e_end) > 0 {}
    }

    /// A skippable frame (RFC 8878 §3.1.2) of variant 0 to 15.
    package static func skippableFrame(variant: UInt8, payload: [UInt8]) -> [UInt8] {
        precondition(variant < 16 && payload.count <= Int(UInt32.max))
        let header = [0x184D_2A50 + UInt32(variant), UInt32(payload.count)]
        return header.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } } + payload
    }

    /// Name and version of the library that compresses.
    package static var libraryVersion: String { "libzstd \(String(cString: ZSTD_versionString()))" }

    private func step(_ input: inout ZSTD_inBuffer, _ directive: ZSTD_EndDirective) throws -> Int {
        let (remaining, produced) = output.withUnsafeMutableBytes { buffer in
            var chunk = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
            let remaining = ZSTD_compressStream2(context, &chunk, &input, directive)
            return (remaining, chunk.pos)
        }
        try check(remaining)
        if produced > 0 { try output.withUnsafeBytes { try sink(UnsafeRawBufferPointer(rebasing: $0[..<produced])) } }
        return remaining
    }

    private func check(_ code: Int) throws(ArchiveError) {
        guard ZSTD_isError(code) == 0 else { throw ArchiveError(.library, "zstd", String(cString: ZSTD_getErrorName(code))) }
    }
}
