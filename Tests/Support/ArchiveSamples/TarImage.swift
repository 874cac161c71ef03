/// A tar made block by block, so that each of its bytes can be wrong.
package struct TarImage: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// What npm packs: a manifest and some files below `package/`, and the mark of the end.
    package init(package name: String, files: [(String, [UInt8])] = [("index.js", Array("module.exports = 1\n".utf8))]) {
        addFile("package/package.json", Array("{\"name\":\"\(name)\",\"version\":\"1.0.0\"}".utf8))
        for (path, content) in files { addFile("package/\(path)", content) }
        addEnd()
    }

    /// A ustar header.
    ///
    /// - Parameter change: runs before the checksum is computed.
    package static func header(_ path: String, size: Int, type: Character = "0", change: (inout [UInt8]) -> Void = { _ in }) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        header.put(path, at: 0)
        header.put("000644 \0", at: 100)
        header.put("000000 \0", at: 108)
        header.put("000000 \0", at: 116)
        header.put(octal(size, digits: 11) + " ", at: 124)
        header.put("03560116604 ", at: 136)
        header.put(String(type), at: 156)
        header.put("ustar\0" + "00", at: 257)
        header.put("000000 \0", at: 329)
        header.put("000000 \0", at: 337)
        change(&header)
        header.seal()
        return header
    }

    /// Appends a header as `header(_:size:type:change:)` makes it, and the content with what fills its last block.
    package mutating func addFile(
        _ path: String, _ content: [UInt8], type: Character = "0", size: Int? = nil, change: (inout [UInt8]) -> Void = { _ in }
    ) {
        bytes += Self.header(path, size: size ?? content.count, type: type, change: change)
        bytes += content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    /// Appends an extended header of these records.
    package mutating func addExtension(_ records: [(key: String, value: String)], isGlobal: Bool = false) {
        let text = records.map { key, value in
            let rest = " \(key)=\(value)\n"
            var length = rest.utf8.count
            while "\(length)".utf8.count + rest.utf8.count != length { length = "\(length)".utf8.count + rest.utf8.count }
            return "\(length)\(rest)"
        }
        addFile("PaxHeader", Array(text.joined().utf8), type: isGlobal ? "g" : "x")
    }

    /// Appends GNU tar's way to name what follows.
    package mutating func addLongPath(_ path: String) { addFile("././@LongLink", Array(path.utf8) + [0], type: "L") }

    package mutating func addEnd(blocks: Int = 2) { add([UInt8](repeating: 0, count: 512 * blocks)) }

    package mutating func add(_ more: [UInt8]) { bytes += more }

    package static func octal(_ number: Int, digits: Int) -> String {
        let text = String(number, radix: 8)
        return String(repeating: "0", count: max(digits - text.count, 0)) + text
    }

    /// A number in twelve bytes of base 256.
    package static func base256(_ number: Int64) -> [UInt8] {
        [number < 0 ? 0xFF : 0x80] + (0..<11).reversed().map { UInt8(truncatingIfNeeded: number >> min(Int64($0) * 8, 63)) }
    }
}

extension [UInt8] {
    /// Writes a text over what stands there.
    package mutating func put(_ text: String, at start: Int) { put(Array(text.utf8), at: start) }

    /// Writes bytes over what stands there.
    package mutating func put(_ bytes: [UInt8], at start: Int) { replaceSubrange(start..<start + bytes.count, with: bytes) }

    /// Writes the checksum of the tar header that begins at `start`.
    package mutating func seal(at start: Int = 0) {
        put("        ", at: start + 148)
        let sum = self[start..<start + 512].reduce(0) { $0 + Int($1) }
        put(TarImage.octal(sum, digits: 6) + "\0 ", at: start + 148)
    }
}
