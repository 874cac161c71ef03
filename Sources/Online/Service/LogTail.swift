import Platform
package import SystemPackage

/// Follows a log: hands over whole lines as they are appended.
package final class LogTail {
    private let path: FilePath
    private var reader: FileReader?
    private var offset: Int64 = 0
    private let startsAtEnd: Bool

    /// Bytes that are read at once; of more than that, the newest count.
    private static let window = 64 << 10

    /// - Parameter atEnd: whether what is in it already is passed over.
    package init(_ path: FilePath, atEnd: Bool) {
        self.path = path
        startsAtEnd = atEnd
    }

    /// The lines that came since the last call, and the offset behind them; none where it cannot be read.
    package func read() -> (lines: [String], offset: Int64) {
        do {
            if reader == nil {
                reader = try FileReader(opening: path)
                if startsAtEnd { offset = try reader?.status().identity.size ?? 0 }
            }
            guard let reader else { return ([], 0) }
            let size = try reader.status().identity.size
            if size - offset > Int64(Self.window) { offset = size - Int64(Self.window) }
            guard size > offset else { return ([], offset) }
            let bytes = try reader.read(Int(size - offset), at: offset)
            guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return ([], offset) }
            offset += Int64(end + 1)
            return (bytes[..<end].split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }, offset)
        } catch { return ([], offset) }
    }
}
