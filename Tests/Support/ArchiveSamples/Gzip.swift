import Foundation

/// Makes gzip: through the machine's own program, or byte by byte.
package enum Gzip {
    /// One member as `gzip -n` writes it.
    package static func compressed(_ content: [UInt8], level: Int = 9) throws -> [UInt8] { try run(["-n", "-\(level)"], content) }

    /// The content as `gzip -d` reads it.
    package static func decompressed(_ bytes: [UInt8]) throws -> [UInt8] { try run(["-d"], bytes) }

    private static func run(_ options: [String], _ input: [UInt8]) throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-gzip-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(input).write(to: file)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip"] + options
        process.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let result = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Array(result)
    }

    /// The parts that a header may have beside its ten bytes.
    package struct Header: Sendable {
        package var extra: [UInt8]?
        package var name: String?
        package var comment: String?
        package var hasChecksum = false

        package init(extra: [UInt8]? = nil, name: String? = nil, comment: String? = nil, hasChecksum: Bool = false) {
            self.extra = extra
            self.name = name
            self.comment = comment
            self.hasChecksum = hasChecksum
        }

        package var bytes: [UInt8] {
            let flags = (hasChecksum ? 2 : 0) | (extra == nil ? 0 : 4) | (name == nil ? 0 : 8) | (comment == nil ? 0 : 16)
            var bytes: [UInt8] = [0x1F, 0x8B, 8, UInt8(flags), 0, 0, 0, 0, 0, 3]
            if let extra { bytes += [UInt8(extra.count & 0xFF), UInt8(extra.count >> 8)] + extra }
            for text in [name, comment] { bytes += text.map { Array($0.utf8) + [0] } ?? [] }
            if hasChecksum { bytes += littleEndian(crc32(bytes)).prefix(2) }
            return bytes
        }
    }

    /// One member that holds the content as it is.
    package static func stored(_ content: [UInt8], header: Header = Header()) -> [UInt8] {
        var bytes = header.bytes
        var rest = content[...]
        repeat {
            let part = rest.prefix(0xFFFF)
            rest = rest.dropFirst(part.count)
            let length = UInt16(part.count)
            bytes += [rest.isEmpty ? 1 : 0, UInt8(length & 0xFF), UInt8(length >> 8), UInt8(~length & 0xFF), UInt8(~length >> 8)] + part
        } while !rest.isEmpty
        return bytes + littleEndian(crc32(content)) + littleEndian(UInt32(truncatingIfNeeded: content.count))
    }

    package static func littleEndian(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }

    /// The CRC-32 of RFC 1952.
    package static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { crc, byte in table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8 }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 0 ? value >> 1 : 0xEDB8_8320 ^ value >> 1 }
    }
}

/// A generator of the same numbers every time.
package struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
