import CArchive

/// Writes regular files as a pax tar, through libarchive: the same calls give the same bytes.
///
/// Mode 0644, owner 0:0 without names; the end is two blocks of zeros. Every byte of an entry has reached the sink when `addFile`
/// returns. When anything throws, what reached the sink is garbage.
package final class TarWriter {
    private let archive: OpaquePointer
    private let sink: (UnsafeRawBufferPointer) throws -> Void
    private var failure: (any Error)?

    /// - Parameter sink: takes the bytes of the tar; its errors come out of the call that made them.
    package init(sink: @escaping (UnsafeRawBufferPointer) throws -> Void) throws(ArchiveError) {
        guard let archive = archive_write_new() else { throw ArchiveError(.library, "tar", "no memory") }
        self.archive = archive
        self.sink = sink
        archive_write_set_format_pax_restricted(archive)
        archive_write_set_bytes_per_block(archive, 0)
        let context = Unmanaged.passUnretained(self).toOpaque()
        let opened = archive_write_open(
            archive, context, nil,
            { archive, context, bytes, count in
                guard let context else { return -1 }
                return Unmanaged<TarWriter>.fromOpaque(context).takeUnretainedValue().take(bytes, count, archive)
            }, nil)
        guard opened == ARCHIVE_OK else { throw ArchiveError(.library, "tar", "cannot be opened for writing") }
    }

    deinit {
        archive_write_fail(archive)
        archive_write_free(archive)
    }

    /// Adds a regular file of exactly `size` bytes, handed over by `content` through its argument.
    package func addFile(
        path: String, size: Int64, modified: Int64, content: (_ write: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws {
        let entry = archive_entry_new()
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname(entry, path)
        archive_entry_set_size(entry, size)
        archive_entry_set_mtime(entry, time_t(modified), 0)
        archive_entry_set_filetype(entry, 0o100000)
        archive_entry_set_perm(entry, 0o644)
        try check(archive_write_header(archive, entry) == ARCHIVE_OK, path)
        var written: Int64 = 0
        try content { bytes in
            written += Int64(bytes.count)
            guard written <= size else { throw ArchiveError(.malformed, path, "more than the announced \(size) bytes") }
            guard !bytes.isEmpty else { return }
            try check(archive_write_data(archive, bytes.baseAddress, bytes.count) == bytes.count, path)
        }
        guard written == size else { throw ArchiveError(.malformed, path, "\(written) bytes instead of the announced \(size)") }
        try check(archive_write_finish_entry(archive) == ARCHIVE_OK, path)
    }

    /// Writes the end-of-archive mark.
    package func finish() throws {
        try check(archive_write_close(archive) == ARCHIVE_OK, "tar")
    }

    private func check(_ isDone: Bool, _ subject: String) throws {
        if let failure { throw failure }
        guard isDone else {
            let reason = archive_error_string(archive).map { String(cString: $0) } ?? "unknown error"
            throw ArchiveError(.library, subject, reason)
        }
    }

    private func take(_ bytes: UnsafeRawPointer?, _ count: Int, _ archive: OpaquePointer?) -> Int {
        do {
            try sink(UnsafeRawBufferPointer(start: bytes, count: count))
            return count
        } catch {
            failure = error
            return -1
        }
    }
}
