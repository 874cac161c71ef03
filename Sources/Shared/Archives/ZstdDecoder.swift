import CZstd

/// Decompresses zstd frames one after the other, step by step.
package final class ZstdDecoder {
    /// What one step did.
    package struct Step: Sendable {
        /// Bytes taken from the input.
        package let consumed: Int
        /// Bytes written to the output.
        package let produced: Int
        /// Whether a frame ended with this step; the next byte begins another.
        package let frameEnded: Bool
    }

    private let context: OpaquePointer
    /// Whether the last byte taken ended a frame, or none was taken.
    package private(set) var isAtFrameBoundary = true

    /// - Parameter windowLogMax: frames with a window above 2 to this power are refused.
    package init(windowLogMax: Int32) throws(ArchiveError) {
        guard let context = ZSTD_createDCtx() else { throw ArchiveError(.library, "zstd", "no memory") }
        self.context = context
        guard ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLogMax)) == 0 else {
            throw ArchiveError(.library, "zstd", "no such window limit")
        }
    }

    deinit { ZSTD_freeDCtx(context) }

    /// Decompresses until the input is used up, the output is full, or a frame ends.
    package func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(ArchiveError) -> Step {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        while source.pos < source.size || target.pos == 0 {
            let (before, produced) = (source.pos, target.pos)
            let code = ZSTD_decompressStream(context, &target, &source)
            guard ZSTD_isError(code) == 0 else {
                throw ArchiveError(.malformed, "zstd", String(cString: ZSTD_getErrorName(code)))
            }
            if code == 0 {
                isAtFrameBoundary = true
                return Step(consumed: source.pos, produced: target.pos, frameEnded: true)
            }
            isAtFrameBoundary = false
            if target.pos == target.size || (source.pos == before && target.pos == produced) { break }
        }
        return Step(consumed: source.pos, produced: target.pos, frameEnded: false)
    }
}
