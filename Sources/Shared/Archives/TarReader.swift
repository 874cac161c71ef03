import CArchive

/// One entry of a tar as its header describes it.
package struct TarEntry: Sendable, Equatable {
    /// What kind of thing it is.
    package enum Kind: Sendable, Equatable {
        case file, directory, symbolicLink, hardLink, characterDevice, blockDevice, pipe, socket, sparseFile, other
    }

    /// The name's bytes as they stand in the archive.
    package let path: [UInt8]
    package let kind: Kind
    /// Bytes of content.
    package let size: Int64
}

/// Reads a tar through libarchive, entry by entry, and hides nothing that a transfer archive must not hold.
package final class TarReader {
    private let archive: OpaquePointer
    private let source: () throws -> UnsafeRawBufferPointer
    private var failure: (any Error)?
    private var current: TarEntry?
    private var given: Int64 = 0
    private var contentEnd: Int64 = 0

    /// - Parameter source: the next bytes, valid until the next call; an empty buffer at the end. Its errors come out unchanged.
    package init(source: @escaping () throws -> UnsafeRawBufferPointer) throws {
        guard let archive = archive_read_new() else { throw ArchiveError(.library, "tar", "no memory") }
        self.archive = archive
        self.source = source
        archive_read_support_format_tar(archive)
        let context = Unmanaged.passUnretained(self).toOpaque()
        let opened = archive_read_open(
            archive, context, nil,
            { _, context, buffer in
                guard let context else { return -1 }
                return Unmanaged<TarReader>.fromOpaque(context).takeUnretainedValue().give(buffer)
            }, nil)
        try check(opened == ARCHIVE_OK, "tar")
    }

    deinit { archive_read_free(archive) }

    /// The next entry, or `nil` at the end-of-archive mark or where the bytes end at an entry's boundary.
    package func next() throws -> TarEntry? {
        var pointer: OpaquePointer?
        let code = archive_read_next_header(archive, &pointer)
        if code == ARCHIVE_EOF {
            if let failure { throw failure }
            return nil
        }
        try check(code == ARCHIVE_OK, "tar")
        let name = archive_entry_pathname(pointer).map { Array(String(cString: $0).utf8) } ?? []
        let entry = TarEntry(path: name, kind: kind(of: pointer), size: archive_entry_size(pointer))
        guard archive_entry_size_is_set(pointer) != 0, entry.size >= 0 else {
            throw ArchiveError(.malformed, String(decoding: name, as: UTF8.self), "an entry without a size")
        }
        current = entry
        return entry
    }

    /// Hands the content of the current entry to `body`, exactly as many bytes as its size.
    package func readContent(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard let current else { return }
        let name = String(decoding: current.path, as: UTF8.self)
        var expected: Int64 = 0
        while true {
            var buffer: UnsafeRawPointer?
            var size = 0
            var offset: Int64 = 0
            let code = archive_read_data_block(archive, &buffer, &size, &offset)
            if code == ARCHIVE_EOF { break }
            try check(code == ARCHIVE_OK, name)
            guard offset == expected else { throw ArchiveError(.refused, name, "a sparse file") }
            expected += Int64(size)
            guard expected <= current.size else { throw ArchiveError(.refused, name, "goes on beyond its size") }
            try body(UnsafeRawBufferPointer(start: buffer, count: size))
        }
        if let failure { throw failure }
        guard expected == current.size else { throw ArchiveError(.truncated, name, "ends after \(expected) of \(current.size) bytes") }
        self.current = nil
    }

    /// After `next()` returned `nil`: refuses anything but zeros behind the last entry, and a missing end-of-archive mark.
    package func finish() throws {
        let end = archive_read_header_position(archive)
        while try !take().isEmpty {}
        guard contentEnd <= end else { throw ArchiveError(.refused, "tar", "data after the end of the archive") }
        guard given >= end + 1024 else { throw ArchiveError(.truncated, "tar", "the end-of-archive mark is missing") }
    }

    private func kind(of entry: OpaquePointer?) -> TarEntry.Kind {
        if archive_entry_hardlink(entry) != nil { return .hardLink }
        if archive_entry_sparse_count(entry) > 0 { return .sparseFile }
        switch archive_entry_filetype(entry) {
        case 0o100000: return .file
        case 0o040000: return .directory
        case 0o120000: return .symbolicLink
        case 0o020000: return .characterDevice
        case 0o060000: return .blockDevice
        case 0o010000: return .pipe
        case 0o140000: return .socket
        default: return .other
        }
    }

    private func check(_ isDone: Bool, _ subject: String) throws {
        if let failure { throw failure }
        guard isDone else {
            let reason = archive_error_string(archive).map { String(cString: $0) } ?? "not a tar"
            let isCut = reason.contains("Truncated")
            throw ArchiveError(isCut ? .truncated : .malformed, subject, reason)
        }
    }

    private func give(_ buffer: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
        do {
            let bytes = try take()
            buffer?.pointee = bytes.baseAddress
            return bytes.count
        } catch {
            failure = error
            return -1
        }
    }

    private func take() throws -> UnsafeRawBufferPointer {
        let bytes = try source()
        if let last = bytes.lastIndex(where: { $0 != 0 }) { contentEnd = given + Int64(last) + 1 }
        given += Int64(bytes.count)
        return bytes
    }
}
