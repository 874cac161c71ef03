import CPlatform
import Glibc
package import SystemPackage

/// A file being written from start to end, in blocks.
///
/// Nothing is durable before `sync`. When a call throws, the file holds a prefix of what was written, or garbage; it is a draft
/// until its owner renames it.
package final class FileWriter {
    /// Where the file stood when it was opened.
    package let path: FilePath
    /// Bytes written so far.
    package private(set) var count: Int64 = 0
    private var descriptor: Int32
    private var pending: [UInt8] = []
    /// Up to here writing to the device was begun.
    private var begun: Int64 = 0
    private static let block = 256 * 1024

    /// Creates the file, or truncates it, with mode 0644.
    ///
    /// A link at the last component is refused.
    package init(creating path: FilePath, exclusively: Bool = false) throws(FileSystemError) {
        let flags = O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC | (exclusively ? O_EXCL : O_TRUNC)
        let descriptor = path.withPlatformString { open($0, flags, 0o644) }
        guard descriptor >= 0 else { throw FileSystemError("create", path, Errno(rawValue: errno)) }
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// Appends bytes; small writes are gathered into blocks.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(FileSystemError) {
        count += Int64(bytes.count)
        if pending.count + bytes.count < Self.block {
            pending.append(contentsOf: bytes)
            return
        }
        try flush()
        if bytes.count < Self.block {
            pending.append(contentsOf: bytes)
        } else {
            try writeThrough(bytes)
        }
    }

    /// Appends bytes; small writes are gathered into blocks.
    package func write(_ bytes: [UInt8]) throws(FileSystemError) {
        count += Int64(bytes.count)
        pending.append(contentsOf: bytes)
        if pending.count >= Self.block { try flush() }
    }

    /// Overwrites bytes that were written before, without moving the end.
    package func overwrite(_ bytes: [UInt8], at offset: Int64) throws(FileSystemError) {
        try flush()
        let written = pwrite(descriptor, bytes, bytes.count, off_t(offset))
        guard written == bytes.count else {
            throw FileSystemError("write", path, written < 0 ? Errno(rawValue: errno) : .noSpace)
        }
    }

    /// Has the kernel begin to write to the device what was handed to it since the last call, so that `sync` waits less.
    ///
    /// A hint: where the file system knows nothing of it, nothing happens.
    package func startWriteback() {
        let handedOver = count - Int64(pending.count)
        guard handedOver > begun else { return }
        _ = cplatform_start_writeback(descriptor, begun, handedOver - begun)
        begun = handedOver
    }

    /// Makes all that was written durable.
    package func sync() throws(FileSystemError) {
        try flush()
        guard fsync(descriptor) == 0 else { throw FileSystemError("sync", path, Errno(rawValue: errno)) }
    }

    /// Ends writing.
    ///
    /// The file stays.
    package func close() throws(FileSystemError) {
        try flush()
        let result = Glibc.close(descriptor)
        descriptor = -1
        guard result == 0 else { throw FileSystemError("close", path, Errno(rawValue: errno)) }
    }

    /// Hands what was gathered to the kernel.
    package func flush() throws(FileSystemError) {
        if pending.isEmpty { return }
        let bytes = pending
        pending.removeAll(keepingCapacity: true)
        var failure: FileSystemError?
        bytes.withUnsafeBytes { buffer in
            do throws(FileSystemError) { try writeThrough(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws(FileSystemError) {
        var offset = 0
        while offset < bytes.count {
            let written = Glibc.write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            if written < 0 {
                if errno == EINTR { continue }
                throw FileSystemError("write", path, Errno(rawValue: errno))
            }
            offset += written
        }
    }
}
