import CanonicalJSON
import Integrity
import Platform
import Synchronization
import SystemPackage

/// A long list of documents in a file without a name, of which pages are read.
///
/// In memory is only where every so many lines begin. The file goes with the list, and with the process.
final class LineList: Sendable {
    private let reader: FileReader?
    private let starts: [Int64]
    private let length: Int64
    let count: Int
    /// What was counted beside the lines.
    let counts: [String: Int]

    private static let stride = 64

    /// Writes a list.
    ///
    /// - Parameter fill: hands over each document, in order, and returns what else it counted.
    init(in directory: FilePath, fill: (_ add: (JSONValue) throws -> Void) throws -> [String: Int]) throws {
        let files = DiskFileSystem()
        try files.createDirectories(directory)
        let path = directory.appending(".list-\(SHA512.digest(of: randomBytes(32)).hex.prefix(24))")
        let writer = try FileWriter(creating: path, exclusively: true)
        let reader: FileReader?
        do {
            reader = try FileReader(opening: path)
            _ = try files.remove(path)
        } catch {
            _ = try? files.remove(path)
            throw error
        }
        var starts: [Int64] = []
        var (count, length): (Int, Int64) = (0, 0)
        counts = try fill { value in
            if count % Self.stride == 0 { starts.append(length) }
            let line = value.canonicalBytes + [0x0A]
            try writer.write(line)
            count += 1
            length += Int64(line.count)
        }
        try writer.flush()
        (self.reader, self.starts, self.count, self.length) = (reader, starts, count, length)
    }

    /// The documents from a place on.
    func page(offset: Int, limit: Int) throws -> [JSONValue] {
        guard offset < count, limit > 0, let reader else { return [] }
        let first = offset / Self.stride
        let last = (min(offset + limit, count) + Self.stride - 1) / Self.stride
        let end = last < starts.count ? starts[last] : length
        let bytes = try reader.read(Int(end - starts[first]), at: starts[first])
        let lines = bytes.split(separator: 0x0A).dropFirst(offset - first * Self.stride).prefix(limit)
        return try lines.map { try JSONParser.parse(Array($0), mode: .strict) }
    }
}

/// The lists that were asked for last: what they are made of never changes, so neither do they.
final class LineListCache: Sendable {
    private let directory: FilePath
    private let lists = Mutex<[(key: String, list: LineList)]>([])
    private static let capacity = 8

    init(directory: FilePath) {
        self.directory = directory
    }

    /// The list of that name, which is made where it is not there; two who ask at once may both make it.
    func list(_ key: String, fill: (_ add: (JSONValue) throws -> Void) throws -> [String: Int]) throws -> LineList {
        if let known = lists.withLock({ $0.first { $0.key == key }?.list }) { return known }
        let list = try LineList(in: directory, fill: fill)
        lists.withLock { lists in
            lists.removeAll { $0.key == key }
            lists.append((key, list))
            if lists.count > Self.capacity { lists.removeFirst() }
        }
        return list
    }
}
