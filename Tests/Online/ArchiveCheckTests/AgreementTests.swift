import ArchiveCheck
import ArchiveSamples
import Catalog
import Platform
import SystemPackage
import Testing

/// Whether a damaged tarball is still one that npm can unpack is asked of npm itself.
@Suite(.enabled(if: ReferenceUnpacker.modules != nil, "npm is not installed: nothing was compared with it"))
struct AgreementTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    /// Compares verdict and manifest of each tarball with what npm makes of it; what is told otherwise has a test of its own that says why.
    private func compare(_ cases: [(name: String, bytes: [UInt8])]) throws {
        var tarballs: [FilePath] = []
        for (index, tarball) in cases.enumerated() {
            tarballs.append(folder.path.appending("case-\(index).tgz"))
            try folder.files.write(tarball.bytes, to: tarballs[index])
        }
        let outcomes = folder.inspector.inspect(tarballs.map { .init(path: $0, keepsManifest: true) })
        let reference = try ReferenceUnpacker.unpack(tarballs, in: folder.path)
        #expect(reference.count == cases.count)
        for (index, (outcome, unpacked)) in zip(outcomes, reference).enumerated() {
            guard case .judged(let verdict) = outcome else {
                Issue.record("\(cases[index].name) was not judged")
                continue
            }
            let words = "\(cases[index].name): we say \(verdict.damage?.description ?? "good"), npm says \(unpacked.words)"
            #expect(verdict.isUnpackable == unpacked.isUnpacked, "\(words)")
            if verdict.isUnpackable, unpacked.isUnpacked { #expect(verdict.manifest == unpacked.manifest, "\(words)") }
        }
    }

    private let tarball = TarImage(
        package: "foo", files: [("a.js", Array("'use strict'\n".utf8)), ("b.js", [UInt8](repeating: 65, count: 700))])

    @Test func `cuts everywhere`() throws {
        let bytes = try Gzip.compressed(tarball.bytes)
        try compare(stride(from: 0, to: bytes.count, by: 3).map { ("cut at \($0)", Array(bytes[..<$0])) })
    }

    @Test func `a flipped bit in every byte`() throws {
        let bytes = try Gzip.compressed(tarball.bytes)
        var generator = SplitMix(seed: 5)
        try compare(
            bytes.indices.map { position in
                let bit = UInt8.random(in: 0..<8, using: &generator)
                var damaged = bytes
                damaged[position] ^= 1 << bit
                return ("byte \(position), bit \(bit)", damaged)
            })
    }

    @Test func `what follows, and further members`() throws {
        let bytes = try Gzip.compressed(tarball.bytes)
        let image = tarball.bytes
        let zeros = [UInt8](repeating: 0, count: 5000)
        var cases: [(String, [UInt8])] = [
            ("empty", []), ("padding", bytes + zeros), ("noise", bytes + [1]),
            ("noise at length", bytes + [UInt8](repeating: 65, count: 100_000)), ("magic only", bytes + [0x1F, 0x8B]),
            ("half a magic", bytes + [0x1F]), ("another method", bytes + [0x1F, 0x8B, 7, 0]),
            ("twice", bytes + bytes), ("an empty member", bytes + Gzip.stored([])), ("twice and padding", bytes + bytes + zeros),
            ("a further one cut", bytes + bytes.dropLast(3)), ("zeros alone", zeros), ("not compressed", image),
            ("not compressed, cut", Array(image[..<2000])), ("HTML", Array("<!DOCTYPE html><html><body>Login</body></html>".utf8)),
            ("long HTML", Array(String(repeating: "<p>Login</p>", count: 1000).utf8)), ("no tar", Gzip.stored(Array("hello".utf8))),
            ("no content", Gzip.stored([])), ("no entry", Gzip.stored([UInt8](repeating: 0, count: 10240))),
            (
                "all of a header",
                Gzip.stored(image, header: .init(extra: [1, 2], name: "x.tar", comment: "of a tar", hasChecksum: true))
            ),
        ]
        for split in [1, 100, 512, 1000, image.count - 1] {
            cases.append(("members split at \(split)", Gzip.stored(Array(image[..<split])) + Gzip.stored(Array(image[split...]))))
        }
        try compare(cases)
    }

    @Test func `padding that is not of zeros`() throws {
        // npm looks no further than the first zero of the piece in which the archive ends: whether it sees the rest depends on how the
        // bytes come in. Here it is damage, always.
        let bytes = try Gzip.compressed(tarball.bytes) + [0, 1]
        let verdict = try folder.inspect(bytes)
        #expect(verdict.damage?.kind == .trailingBytes && !verdict.isUnpackable)
    }

    // MARK: The tar inside

    private let manifest = Array("{\"name\":\"foo\",\"version\":\"1.0.0\"}".utf8)

    private func tar(_ build: (inout TarImage) -> Void) -> [UInt8] {
        var image = TarImage()
        image.addFile("package/package.json", manifest)
        build(&image)
        return Gzip.stored(image.bytes)
    }

    @Test func `every end of a tar`() throws {
        let image = TarImage(package: "foo", files: [("a", [UInt8](repeating: 1, count: 600)), ("b", [])]).bytes
        let zeros = [UInt8](repeating: 0, count: 512)
        let noise = [UInt8](repeating: 0x41, count: 700)
        let files = Array(image.dropLast(1024))
        let ends = [[], zeros, zeros + zeros + noise, zeros + noise, noise, Array(noise.prefix(300)), zeros + zeros + zeros, zeros + files]
        try compare(
            stride(from: 0, through: image.count, by: 37).map { ("tar cut at \($0)", Gzip.stored(Array(image[..<$0]))) }
                + ends.enumerated().map { ("end \($0.offset)", Gzip.stored(files + $0.element)) }
                + [("zeros first", Gzip.stored(zeros + image)), ("two blocks of zeros first", Gzip.stored(zeros + zeros + image))])
    }

    @Test func `sizes and numbers`() throws {
        let body = [UInt8](repeating: 0x41, count: 1000)
        let sizes: [(String, [UInt8])] = [
            ("spaces", Array("       1750\0".utf8)), ("early end", Array("1750 \0\0\0\0\0\0\0".utf8)),
            ("blank", [UInt8](repeating: 32, count: 12)),
            ("zeros", [UInt8](repeating: 0, count: 12)), ("text", Array("hello world ".utf8)),
            ("twelve digits", Array("000000001750".utf8)),
            ("an eight", Array("00000001758\0".utf8)), ("beyond the end", Array("00000003750\0".utf8)),
            ("large", Array("77777777777\0".utf8)), ("plus", Array("+0000001750\0".utf8)), ("base 256", TarImage.base256(1000)),
            ("base 256, below zero", TarImage.base256(-1000)), ("base 256, beyond the end", TarImage.base256(5000)),
            ("base 256, largest", TarImage.base256(1 << 53 - 1)), ("base 256, too large", TarImage.base256(1 << 53)),
            ("base 256, by far too large", TarImage.base256(Int64.max)), ("base 256, by far too small", TarImage.base256(Int64.min)),
            ("no base", [0xC0] + [UInt8](repeating: 0, count: 11)), ("far below zero", Array("-0000001750\0".utf8)),
        ]
        var cases = sizes.map { name, size in (name, tar { $0.addFile("package/a", body) { $0.put(size, at: 124) } }) }
        for start in [100, 108, 116, 136, 148, 329, 337, 476, 488] {
            for byte: UInt8 in [0x80, 0x81, 0xFF] {
                cases.append(("\(byte) at \(start)", tar { $0.addFile("package/a", body) { $0.put([byte], at: start) } }))
            }
        }
        for value in ["1000", "0", "", "5000", "99999999999999999999999"] {
            for isGlobal in [false, true] {
                cases.append(
                    (
                        "pax size \(value), global: \(isGlobal)",
                        tar {
                            $0.addExtension([("size", value)], isGlobal: isGlobal)
                            $0.addFile("package/a", body)
                        }
                    ))
            }
        }
        try compare(cases)
    }

    @Test func `sizes that npm's library reads as none`() throws {
        // It takes these for entries without content, then meets the content where a header should be, warns and goes on. Nobody can say
        // how long such an entry is: it is damage here, and no package.
        let small = tar { $0.addFile("package/a", []) { $0.put("-0000000750\0", at: 124) } }
        let sized = ["-5", "x"].map { value in
            tar {
                $0.addExtension([("size", value)])
                $0.addFile("package/a", [1])
            }
        }
        let tarballs = try ([small] + sized).map { try folder.inspect($0) }
        for verdict in tarballs { #expect(verdict.damage?.kind == .badTar && !verdict.isUnpackable) }
    }

    @Test func `types and names`() throws {
        var cases: [(String, [UInt8])] = []
        let content: [UInt8] = [1, 2, 3]
        for type in "\0 01234567ABDEGIKLMNPSVXZagxz~" {
            cases.append(("type \(type.asciiValue ?? 0)", tar { $0.addFile("package/a", content, type: type) }))
            cases.append(
                ("manifest of type \(type.asciiValue ?? 0)", Gzip.stored(other { $0.addFile("package/package.json", content, type: type) }))
            )
        }
        for path in [
            "package.json", "x/package.json", "../package.json", "package/./package.json", "/package.json", "//package.json",
            "package/package.json/",
            "package/a/package.json", "./package/package.json", "package//package.json", "package/../package.json", "/package/package.json",
            "package/Package.json", "", "/", "package/package.json5", "package/a/../package.json", "x/y/package.json", "@s/package.json",
        ] {
            cases.append(("path \"\(path)\"", Gzip.stored(other { $0.addFile(path, content) })))
            let extended = other {
                $0.addExtension([("path", path)])
                $0.addFile("package/short", content)
            }
            cases.append(("pax path \"\(path)\"", Gzip.stored(extended)))
            let long = other {
                $0.addLongPath(path)
                $0.addFile("package/short", content)
            }
            cases.append(("GNU path \"\(path)\"", Gzip.stored(long)))
            cases.append(
                ("path \"\(path)\" behind a prefix", Gzip.stored(other { $0.addFile(path, content) { $0.put("package", at: 345) } })))
        }
        for (type, link): (Character, String) in [("0", "b"), ("1", ""), ("1", "b"), ("2", ""), ("2", "b"), ("5", "b")] {
            cases.append(("type \(type), link \"\(link)\"", tar { $0.addFile("package/a", [], type: type) { $0.put(link, at: 157) } }))
        }
        try compare(cases)
    }

    private func other(_ build: (inout TarImage) -> Void) -> [UInt8] {
        var image = TarImage()
        build(&image)
        image.addEnd()
        return image.bytes
    }

    @Test func `random damage to headers that add up`() throws {
        var generator = SplitMix(seed: 6)
        let sample = other {
            $0.addExtension([("comment", "a commit")], isGlobal: true)
            $0.addFile("package/package.json", manifest)
            $0.addExtension([("path", "package/long/" + String(repeating: "y", count: 150)), ("mtime", "1.5")])
            $0.addFile("short", [UInt8](repeating: 66, count: 600))
            $0.addLongPath("package/" + String(repeating: "x", count: 200))
            $0.addFile("short", [1, 2, 3])
        }
        try compare(
            (0..<250).map { index in
                var damaged = sample
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    let position = Int.random(in: 0..<damaged.count, using: &generator)
                    damaged[position] = Bool.random(using: &generator) ? UInt8.random(in: 0...255, using: &generator) : 0x30
                    if Int.random(in: 0..<4, using: &generator) > 0 { damaged.seal(at: position / 512 * 512) }
                }
                return ("random damage \(index)", Gzip.stored(damaged))
            })
    }

    @Test func `real packages, whole and damaged`() throws {
        let packages = ["semver", "minipass", "yallist", "ini", "which", "nopt"].compactMap { name in
            ["\(ReferenceUnpacker.modules ?? "")/\(name)"].first { (try? folder.files.status(of: FilePath($0))) != nil }
        }
        var generator = SplitMix(seed: 7)
        var cases: [(String, [UInt8])] = []
        for file in try ReferenceUnpacker.pack(packages, in: folder.path) {
            let bytes = try #require(try folder.files.contents(of: file, limit: 1 << 24))
            cases.append(("\(file)", bytes))
            for _ in 0..<10 {
                let position = Int.random(in: 0..<bytes.count, using: &generator)
                var damaged = bytes
                damaged[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                cases.append(("\(file), a bit of byte \(position)", damaged))
                cases.append(("\(file), cut at \(position)", Array(bytes[..<position])))
            }
        }
        #expect(cases.count > 100)
        try compare(cases)
    }
}
