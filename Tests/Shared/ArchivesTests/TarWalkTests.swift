import ArchiveSamples
import Archives
import Testing

@Suite struct TarWalkTests {
    private struct Found: Equatable {
        var damage: TarDamage?
        var entries: Int
        var manifest: [UInt8]?
        var isUnpackable: Bool
    }

    private func walk(_ bytes: [UInt8], piece: Int = 1 << 20) -> Found {
        let walk = TarWalk()
        for start in stride(from: 0, to: bytes.count, by: piece) {
            bytes[start..<min(start + piece, bytes.count)].withUnsafeBytes { walk.take($0) }
        }
        return Found(damage: walk.finish(), entries: walk.entries, manifest: walk.manifest, isUnpackable: walk.isUnpackable)
    }

    private let manifest = Array("{\"name\":\"foo\",\"version\":\"1.0.0\"}".utf8)

    private func good(_ entries: Int) -> Found { Found(damage: nil, entries: entries, manifest: manifest, isUnpackable: true) }

    private func tar(_ build: (inout TarImage) -> Void) -> [UInt8] {
        var image = TarImage()
        build(&image)
        return image.bytes
    }

    /// Files with contents of all lengths around a block's, and every way to name them.
    private func sample() -> [UInt8] {
        tar {
            $0.addExtension([("comment", "a commit")], isGlobal: true)
            $0.addFile("package/", [], type: "5", size: 4096)
            for length in [0, 1, 511, 512, 513, 1024] { $0.addFile("package/\(length)", [UInt8](repeating: 7, count: length)) }
            $0.addFile("package.json", manifest) { $0.put("package", at: 345) }
            $0.addExtension([("path", "package/" + String(repeating: "long/", count: 60) + "file"), ("mtime", "1.5")])
            $0.addFile("short", [1, 2, 3])
            $0.addLongPath("package/" + String(repeating: "x", count: 300))
            $0.addFile("short", [1, 2, 3])
            $0.addFile("package/link", [], type: "2") { $0.put("target", at: 157) }
            $0.addFile("package/V", [UInt8](repeating: 9, count: 700), type: "V")
            $0.addEnd()
        }
    }

    @Test(arguments: [1, 7, 511, 512, 513, 4000, 1 << 20])
    func `every kind of entry is walked, whatever pieces it comes in`(piece: Int) {
        #expect(walk(sample(), piece: piece) == good(12))
    }

    @Test func `a tar written by libarchive is walked`() throws {
        var bytes: [UInt8] = []
        let writer = try TarWriter { bytes.append(contentsOf: $0) }
        let long = "package/" + String(repeating: "y", count: 200) + "/" + String(repeating: "z", count: 100)
        for (path, content) in [("package/package.json", manifest), (long, [1])] {
            try writer.addFile(path: path, size: Int64(content.count), modified: 0) { write in
                try content.withUnsafeBytes { try write($0) }
            }
        }
        try writer.finish()
        #expect(walk(bytes) == good(2))
    }

    @Test func `a cut is damage exactly where it is inside an entry`() {
        let bytes = tar {
            $0.addFile("package/package.json", manifest)
            $0.addFile("package/a", [UInt8](repeating: 1, count: 600))
            $0.addFile("package/b", [])
            $0.addEnd()
        }
        for length in bytes.indices {
            let damage = walk(Array(bytes[..<length])).damage
            switch length {
            // Of a block that is no whole header there is nothing to be seen.
            case 0: #expect(damage == .noEntries)
            case ..<512: #expect(damage == .notTar)
            case ..<1024: #expect(damage == .truncated(entry: Array("package/package.json".utf8), missing: Int64(1024 - length)))
            case 1536..<2560: #expect(damage == .truncated(entry: Array("package/a".utf8), missing: Int64(2560 - length)))
            default: #expect(damage == nil, "cut at \(length)")
            }
        }
    }

    @Test func `no flipped bit of a header loses an entry unnoticed`() {
        let bytes = TarImage(package: "foo").bytes
        let whole = walk(bytes)
        for position in Array(0..<512) + Array(1024..<1536) {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << UInt8(bit)
                let found = walk(damaged)
                // A checksum may be written in several ways, and what stands behind it is not part of it.
                #expect(found == whole || found.damage != nil, "byte \(position), bit \(bit)")
                if found == whole { #expect([148, 154, 155].contains(position % 512), "byte \(position), bit \(bit)") }
            }
        }
    }

    @Test func `sizes are octal, in base 256, or pax's`() {
        func sized(_ change: @escaping (inout [UInt8]) -> Void) -> Found {
            walk(
                tar {
                    $0.addFile("package/package.json", manifest)
                    $0.addFile("package/a", [UInt8](repeating: 0xFF, count: 1000), change: change)
                    $0.addEnd()
                })
        }
        #expect(sized { $0.put("       1750\0", at: 124) } == good(2))
        #expect(sized { $0.put("1750 \0\0\0\0\0\0\0", at: 124) } == good(2))
        #expect(sized { $0.put(TarImage.base256(1000), at: 124) } == good(2))
        #expect(sized { $0.put(TarImage.base256(-1), at: 124) }.damage == .invalidSize(at: 1024))
        #expect(sized { $0.put(TarImage.base256(-1000), at: 124) }.damage == .invalidSize(at: 1024))
        #expect(sized { $0.put("-0000001750\0", at: 124) }.damage == .invalidSize(at: 1024))
        #expect(sized { $0.put([UInt8](repeating: 0, count: 12), at: 124) }.damage == .invalidHeader(at: 1536, .checksum, blocks: 2))
        let most = (1 << 53) - 1
        let entry = Array("package/a".utf8)
        #expect(sized { $0.put(TarImage.base256(Int64(most)), at: 124) }.damage == .truncated(entry: entry, missing: (1 << 53) - 2048))
        for size in [Int64(most) + 1, Int64.max, -(1 << 53), Int64.min] {
            #expect(sized { $0.put(TarImage.base256(size), at: 124) }.damage == .invalidHeader(at: 1024, .number, blocks: 3))
        }
        #expect(sized { $0.put([0xC0], at: 124) }.damage == .invalidHeader(at: 1024, .number, blocks: 3))
        for start in [100, 108, 116, 136, 329, 337, 476, 488] {
            #expect(sized { $0.put([0x81], at: start) }.damage == .invalidHeader(at: 1024, .number, blocks: 3))
        }
    }

    @Test func `a size in an extended header counts, and holds for one entry`() {
        func sized(_ value: String, isGlobal: Bool = false) -> Found {
            walk(
                tar {
                    $0.addExtension([("size", value)], isGlobal: isGlobal)
                    $0.addFile("package/a", [UInt8](repeating: 1, count: 1000), size: 3)
                    $0.addFile("package/package.json", manifest)
                    $0.addEnd()
                })
        }
        #expect(sized("1000") == good(2))
        #expect(sized("1000", isGlobal: true).manifest == manifest + [UInt8](repeating: 0, count: 1000 - manifest.count))
        #expect(sized("0").damage == .invalidHeader(at: 2048, .checksum, blocks: 1))
        for value in ["-5", "1e3", "x"] { #expect(sized(value).damage == .invalidSize(at: 1024)) }
        #expect(sized("99999999999999999999999").isUnpackable == false)
    }

    @Test func `what stands behind the end is no damage, and no end is none`() {
        let files = tar {
            $0.addFile("package/package.json", manifest)
            $0.addFile("package/a", [1])
        }
        let zeros = [UInt8](repeating: 0, count: 512)
        let noise = [UInt8](repeating: 0x41, count: 700)
        for end in [[], zeros, zeros + zeros, zeros + zeros + noise, [UInt8](repeating: 0x41, count: 300), zeros + zeros + zeros] {
            for piece in [100, 512, 1 << 20] { #expect(walk(files + end, piece: piece) == good(2)) }
        }
        // One block of zeros is no end.
        #expect(walk(zeros + files) == good(2))
        #expect(walk(zeros + files + zeros + tar { $0.addFile("package/b", []) }) == good(3))
        #expect(walk(files + zeros + noise).damage == .invalidHeader(at: Int64(files.count) + 512, .checksum, blocks: 1))
        #expect(walk(files + zeros + noise).isUnpackable)
    }

    @Test func `what is no tar, or holds no entry, is told apart`() {
        #expect(walk([]).damage == .noEntries)
        #expect(walk([UInt8](repeating: 0, count: 512)).damage == .noEntries)
        #expect(walk([UInt8](repeating: 0, count: 10240)).damage == .noEntries)
        #expect(walk(Array("hello".utf8)).damage == .notTar)
        #expect(walk([UInt8](repeating: 0x20, count: 10240)).damage == .notTar)
        #expect(walk(tar { $0.addExtension([("comment", "alone")], isGlobal: true) }).damage == .noManifest)
    }

    @Test func `a header without a name, or with a link's in the wrong place, is no header`() {
        func fault(_ type: Character, _ path: String, _ link: String) -> TarDamage? {
            walk(
                tar {
                    $0.addFile("package/package.json", manifest)
                    $0.addFile(path, [], type: type) { $0.put(link, at: 157) }
                    $0.addEnd()
                }
            ).damage
        }
        let invalid = TarDamage.invalidHeader(at: 1024, .name, blocks: 1)
        #expect(fault("0", "", "") == invalid)
        #expect(fault("0", "a", "b") == invalid)
        #expect(fault("1", "a", "") == invalid)
        #expect(fault("2", "a", "") == invalid)
        #expect(fault("1", "a", "b") == nil)
        #expect(fault("2", "a", "b") == nil)
        #expect(fault("5", "a", "") == nil)
    }

    @Test func `the manifest is the package json that npm would write`() {
        func found(_ path: String, type: Character = "0", isExtended: Bool = false) -> Bool {
            walk(
                tar {
                    if isExtended { $0.addExtension([("path", path)]) }
                    $0.addFile(isExtended ? "short" : path, manifest, type: type)
                    $0.addEnd()
                }
            ).manifest == manifest
        }
        for path in [
            "package/package.json", "x/package.json", "../package.json", "package/./package.json", "/package.json", "//package.json",
        ] {
            #expect(found(path) && found(path, isExtended: true), "\(path)")
        }
        #expect(found("package/package.json", type: "7") && found("package/package.json", type: "\0"))
        for path in [
            "package.json", "package/a/package.json", "./package/package.json", "package//package.json", "package/../package.json",
            "package/package.json/", "package/xpackage.json", "package/package.json5", "/package/package.json",
        ] {
            #expect(!found(path) && !found(path, isExtended: true), "\(path)")
        }
        for type: Character in ["1", "2", "3", "5", "6", "D", "V", "Z"] { #expect(!found("package/package.json", type: type)) }
    }

    @Test func `the last of several manifests counts, and none above a mebibyte is kept`() {
        let later = Array("{}".utf8)
        let two = walk(
            tar {
                $0.addFile("package/package.json", manifest)
                $0.addFile("package/package.json", later)
            })
        #expect(two == Found(damage: nil, entries: 2, manifest: later, isUnpackable: true))
        for (length, isKept) in [(0, true), (1 << 20, true), (1 << 20 + 1, false)] {
            let content = [UInt8](repeating: 0x20, count: length)
            let found = walk(tar { $0.addFile("package/package.json", content) }, piece: 100_000)
            #expect(found == Found(damage: nil, entries: 1, manifest: isKept ? content : nil, isUnpackable: true))
        }
    }

    @Test func `an extended header above a mebibyte is passed over`() {
        let found = walk(
            tar {
                $0.addExtension([("comment", String(repeating: "x", count: 1 << 20)), ("path", "elsewhere")])
                $0.addFile("package/package.json", manifest)
            })
        #expect(found == good(1))
    }

    @Test func `random bytes and random damage never crash the walk`() {
        var generator = SplitMix(seed: 4)
        let bytes = sample()
        for _ in 0..<2000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...20, using: &generator) {
                let position = Int.random(in: 0..<damaged.count, using: &generator)
                damaged[position] = UInt8.random(in: 0...255, using: &generator)
                // A header that is wrong and adds up is the one that is read.
                if Bool.random(using: &generator) { damaged.seal(at: position / 512 * 512) }
            }
            let whole = walk(damaged)
            #expect(walk(damaged, piece: Int.random(in: 1..<2000, using: &generator)) == whole)
        }
    }
}
