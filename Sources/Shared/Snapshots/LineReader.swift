package import Platform
import SystemPackage

/// Reads a file line by line in constant memory.
package struct LineReader {
    private let reader: FileReader
    private let limit: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var offset: Int64 = 0
    private var isAtEnd = false

    /// - Parameter limit: the longest line allowed, in bytes; a longer one is `EFBIG`.
    package init(_ reader: FileReader, limit: Int) {
        self.reader = reader
        self.limit = limit
    }

    /// The next line without its `\n`, or `nil` after the last.
    ///
    /// A last line without `\n` comes as it is.
    package mutating func next() throws(FileSystemError) -> ArraySlice<UInt8>? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { start = end + 1 }
                guard end - start <= limit else { throw FileSystemError("read a line of", reader.path, .fileTooLarge) }
                return buffer[start..<end]
            }
            if isAtEnd {
                defer { start = buffer.count }
                return start < buffer.count ? buffer[start...] : nil
            }
            guard buffer.count - start <= limit else { throw FileSystemError("read a line of", reader.path, .fileTooLarge) }
            buffer.removeSubrange(..<start)
            searched = buffer.count
            start = 0
            let more = try reader.read(256 * 1024, at: offset)
            offset += Int64(more.count)
            isAtEnd = more.isEmpty
            buffer += more
        }
    }
}
