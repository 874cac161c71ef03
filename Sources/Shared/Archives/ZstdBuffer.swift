import CZstd

/// Compression of bytes that are all there.
package enum ZstdBuffer {
    /// One frame at libzstd's default level.
    package static func compress(_ bytes: [UInt8]) throws(ArchiveError) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
        let count = ZSTD_compress(&output, output.count, bytes, bytes.count, 3)
        guard ZSTD_isError(count) == 0 else { throw ArchiveError(.library, "zstd", String(cString: ZSTD_getErrorName(count))) }
        output.removeLast(output.count - count)
        return output
    }

    /// The content of one frame that says its size, at most `limit` bytes.
    package static func decompress(_ bytes: [UInt8], limit: Int) throws(ArchiveError) -> [UInt8] {
        let size = ZSTD_getFrameContentSize(bytes, bytes.count)
        guard size <= UInt64(limit) else { throw ArchiveError(.malformed, "zstd", "no frame of at most \(limit) bytes") }
        var output = [UInt8](repeating: 0, count: Int(size))
        let count = ZSTD_decompress(&output, output.count, bytes, bytes.count)
        guard ZSTD_isError(count) == 0, count == output.count else {
            throw ArchiveError(.malformed, "zstd", String(cString: ZSTD_getErrorName(count)))
        }
        return output
    }
}
