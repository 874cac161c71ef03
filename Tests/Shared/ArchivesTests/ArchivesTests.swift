import Archives
import Foundation
import Testing

@Suite struct ArchivesTests {
    private func tar(_ files: [(String, [UInt8])]) throws -> [UInt8] {
        var bytes: [UInt8] = []
        let writer = try TarWriter { bytes.append(contentsOf: $0) }
        for (path, content) in files {
            try writer.addFile(path: path, size: Int64(content.count), modified: 1_700_000_000) { write in
                try content.withUnsafeBytes { try write($0) }
            }
        }
        try writer.finish()
        return bytes
    }

    private func read(_ bytes: [UInt8], piece: Int = 777) throws -> [(String, [UInt8])] {
        var position = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 8)
        defer { buffer.deallocate() }
        let reader = try TarReader {
            let next = bytes[position..<min(position + piece, bytes.count)]
            position += next.count
            buffer.copyBytes(from: next)
            return UnsafeRawBufferPointer(rebasing: buffer[..<next.count])
        }
        var files: [(String, [UInt8])] = []
        while let entry = try reader.next() {
            guard entry.kind == .file else { throw ArchiveError(.refused, "entry", "\(entry.kind)") }
            var content: [UInt8] = []
            try reader.readContent { content.append(contentsOf: $0) }
            files.append((String(decoding: entry.path, as: UTF8.self), content))
        }
        try reader.finish()
        return files
    }

    private let files: [(String, [UInt8])] = [
        ("a", []),
        ("storage/" + String(repeating: "x", count: 150) + "/" + String(repeating: "y", count: 120), Array(repeating: 7, count: 5000)),
        ("b/c.tgz", Array(0...255)),
    ]

    @Test func `a tar comes back as it was written, and gnu tar agrees`() throws {
        let bytes = try tar(files)
        #expect(try tar(files) == bytes)
        let found = try read(bytes)
        #expect(found.map(\.0) == files.map(\.0))
        #expect(found.map(\.1) == files.map(\.1))
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-\(UUID().uuidString).tar")
        defer { try? FileManager.default.removeItem(at: path) }
        try Data(bytes).write(to: path)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["tar", "-tf", path.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let listed = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(listed == files.map { "\($0.0)\n" }.joined())
    }

    @Test func `every cut of a tar is an error`() throws {
        let bytes = try tar(files)
        for length in 0..<bytes.count {
            #expect(throws: ArchiveError.self, "cut at \(length)") { try read(Array(bytes[..<length])) }
        }
    }

    @Test func `data after the end is refused`() throws {
        let bytes = try tar(files)
        #expect(throws: Never.self) { try read(bytes + [UInt8](repeating: 0, count: 4096)) }
        #expect(throws: ArchiveError.self) { try read(bytes + [1]) }
        #expect(throws: ArchiveError.self) { try read(bytes + [UInt8](repeating: 0, count: 100_000) + [1]) }
    }

    @Test func `a file that is not as long as announced is not written`() throws {
        let writer = try TarWriter { _ in }
        #expect(throws: ArchiveError.self) { try writer.addFile(path: "a", size: 3, modified: 0) { _ in } }
    }

    private func compress(_ bytes: [UInt8], level: Int32, workers: Int32) throws -> [UInt8] {
        var output: [UInt8] = []
        let writer = try ZstdFrameWriter { output.append(contentsOf: $0) }
        try writer.beginFrame(level: level, workers: workers, windowLog: 20)
        try bytes.withUnsafeBytes { try writer.write($0) }
        try writer.endFrame()
        return output
    }

    private func decode(_ bytes: [UInt8]) throws -> [UInt8] {
        let decoder = try ZstdDecoder(windowLogMax: 23)
        var result: [UInt8] = []
        var position = 0
        var output = [UInt8](repeating: 0, count: 4096)
        while position < bytes.count {
            let step = try bytes.withUnsafeBytes { input in
                try output.withUnsafeMutableBytes { try decoder.decode(UnsafeRawBufferPointer(rebasing: input[position...]), into: $0) }
            }
            position += step.consumed
            result += output[..<step.produced]
            if step.consumed == 0, step.produced == 0 { break }
        }
        guard decoder.isAtFrameBoundary else { throw ArchiveError(.truncated, "zstd", "cut") }
        return result
    }

    @Test func `no flipped bit and no cut of a frame goes unnoticed`() throws {
        let content = Array("the quick brown fox jumps over the lazy dog, again and again and again".utf8)
        let frame = try compress(content, level: 5, workers: 1)
        #expect(try decode(frame) == content)
        for position in frame.indices {
            for bit in 0..<8 {
                var damaged = frame
                damaged[position] ^= 1 << UInt8(bit)
                let result = try? decode(damaged)
                #expect(result == nil || result == content, "byte \(position), bit \(bit)")
            }
        }
        for length in 1..<frame.count { #expect((try? decode(Array(frame[..<length]))) == nil, "cut at \(length)") }
    }

    @Test func `frames follow one another and a wide window is refused`() throws {
        let content = [UInt8](repeating: 1, count: 100_000)
        #expect(try decode(compress(content, level: -50, workers: 1) + compress(content, level: 5, workers: 0)) == content + content)
        #expect(try ZstdBuffer.decompress(ZstdBuffer.compress(content), limit: 100_000) == content)
        #expect(throws: ArchiveError.self) { try ZstdBuffer.decompress(ZstdBuffer.compress(content), limit: 99_999) }
    }
}
