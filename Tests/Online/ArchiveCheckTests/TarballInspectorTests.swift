import ArchiveCheck
import ArchiveSamples
import CanonicalJSON
import Catalog
import Foundation
import Integrity
import PackageStore
import Platform
import SystemPackage
import Testing

@Suite struct TarballInspectorTests {
    private let folder: Folder
    private let image = TarImage(package: "foo", files: [("index.js", Array("module.exports = 'some text of a module'\n".utf8))]).bytes
    private let tarball: [UInt8]

    init() throws {
        folder = try Folder()
        tarball = try Gzip.compressed(image)
    }

    // MARK: What was published

    @Test func `a tarball as it was published is proven, and not damaged`() throws {
        for algorithm in ["sha512", "sha1"] {
            let verdict = try folder.inspect(tarball, declared: declared(tarball, by: algorithm))
            #expect(verdict.isAsPublished == true && verdict.damage == nil && verdict.note == nil && verdict.isUnpackable)
            #expect(verdict.proof.sha512 == SHA512.digest(of: tarball) && verdict.proof.size == tarball.count)
            #expect((verdict.proof.sha1 != nil) == (algorithm == "sha1"))
            #expect(verdict.entries == 2 && verdict.inflatedBytes == image.count && verdict.manifest == nil)
        }
    }

    @Test func `a whole archive that is not the one published is a digest mismatch`() throws {
        let other = try Gzip.compressed(TarImage(package: "bar").bytes)
        for (algorithm, digest) in [("sha512", SHA512.digest(of: other).hex), ("sha1", try sha1(other).hex)] {
            let verdict = try folder.inspect(other, declared: declared(tarball, by: algorithm))
            #expect(verdict.isAsPublished == false && verdict.damage?.kind == .digestMismatch && verdict.isUnpackable)
            #expect(verdict.damage?.words.contains("\(algorithm) \(digest.prefix(16))… instead of ") == true)
        }
    }

    @Test func `without a digest the structure alone counts, and zeros behind it are no damage`() throws {
        for entry in [nil, try declared(tarball, by: nil)] {
            let zeros = [UInt8](repeating: 0, count: 300)
            for bytes in [tarball, tarball + zeros] {
                let verdict = try folder.inspect(bytes, declared: entry)
                #expect(verdict.isAsPublished == nil && verdict.damage == nil && verdict.note == nil && verdict.isUnpackable)
            }
            #expect(try folder.inspect(tarball + [1], declared: entry).damage?.kind == .trailingBytes)
            #expect(try folder.inspect(tarball + zeros + [1], declared: entry).damage?.kind == .trailingBytes)
        }
        // With a digest they are, for they change it.
        #expect(try folder.inspect(tarball + [0], declared: declared(tarball)).damage?.kind == .trailingBytes)
    }

    @Test func `what was published is never damaged, and a note says where npm cannot unpack it`() throws {
        func note(_ bytes: [UInt8]) throws -> DamageKind? {
            let verdict = try folder.inspect(bytes, declared: declared(bytes))
            #expect(verdict.isAsPublished == true && verdict.damage == nil && (verdict.note == nil) == verdict.isUnpackable)
            return verdict.note?.kind
        }
        #expect(try note([]) == .empty)
        #expect(try note(Array("<html>".utf8)) == .notGzip)
        #expect(try note(tarball.dropLast()) == .truncated)
        #expect(try note(tarball + [7]) == .trailingBytes)
        #expect(try note(Gzip.stored([])) == .badTar)
        // These npm does unpack.
        #expect(try note(image) == nil)
        #expect(try note(tarball + [0]) == nil)
        #expect(try note(Gzip.stored([UInt8](repeating: 65, count: 512) + image)) == nil)
    }

    // MARK: Damage

    @Test func `each kind of damage is told by its name, in words, with a digest and without`() throws {
        let html = Array("\r\n <!DOCTYPE html><title>Sign in</title>".utf8)
        let inflated = Gzip.stored(image)
        var corrupt = tarball
        // The first block says that it is of the kind that there is not.
        corrupt[10] |= 6
        var wrong = inflated
        wrong[100] ^= 1
        var short = inflated
        short[short.count - 4] ^= 1
        let tail = Gzip.stored(Array(image.dropLast(1500)))
        let crc = { (number: UInt32) in String(repeating: "0", count: 8 - String(number, radix: 16).count) + String(number, radix: 16) }
        let content = Array(wrong[15..<15 + image.count])
        let cases: [([UInt8], DamageKind, String)] = [
            ([], .empty, "zero bytes"),
            (html, .notGzip, "it is not gzip: it is HTML, a portal page?"),
            (Array("\u{FEFF}<html>".utf8), .notGzip, "it is not gzip: it is HTML, a portal page?"),
            (Array("{\"error\":\"no such package\"}".utf8), .notGzip, "it is not gzip: it is JSON, a registry's answer?"),
            (image, .notGzip, "it is not gzip: a tar that is not compressed; was it decompressed on its way?"),
            ([UInt8](repeating: 0, count: 100), .notGzip, "it is not gzip: it is zeros only"),
            (
                [UInt8](repeating: 0, count: 1000), .notGzip,
                "it is not gzip: it begins with 512 zeros, as a file does that a power cut spoilt"
            ),
            (Array(" \n".utf8), .notGzip, "it is not gzip: white space"),
            (Array("PK\u{3}\u{4}zip".utf8), .notGzip, "it is not gzip: it begins with 50 4b 03 04"),
            (Array(tarball.prefix(7)), .truncated, "ends after 7 bytes, before any content"),
            (Array(inflated.prefix(1000)), .truncated, "ends after 1000 bytes, which inflate to 985 of at least 1024"),
            (tarball.dropLast(), .truncated, "ends after \(tarball.count - 1) bytes, which inflate to \(image.count)"),
            (corrupt, .corruptData, "the compressed data is damaged at or before byte 18 of \(corrupt.count)"),
            (
                wrong, .checksum,
                "the checksum of the content is wrong: \(crc(Gzip.crc32(content))) instead of \(crc(Gzip.crc32(image)))"
            ),
            (short, .checksum, "the length of the content is wrong: \(image.count) bytes instead of \(image.count ^ 1)"),
            (Gzip.stored([]), .badTar, "the tar holds no entry"),
            (Gzip.stored([1]), .badTar, "what is compressed is not a tar"),
            (tail, .badTar, "the tar ends inside \"package/index.js\", 476 bytes too early"),
            (
                Gzip.stored(image.dropLast(1024) + [UInt8](repeating: 65, count: 5 * 512)), .badTar,
                "the tar's header at byte 2048 is invalid (its checksum is wrong), and 5 blocks in all belong to no entry"
            ),
            (Gzip.stored(Array(image.dropFirst(1024))), .badTar, "the tar holds no package.json of a package"),
            (tarball + [1, 2, 3], .trailingBytes, "3 bytes after the end of the archive at byte \(tarball.count)"),
        ]
        for (bytes, kind, words) in cases {
            for entry in [nil, try declared(tarball)] {
                #expect(try folder.inspect(bytes, declared: entry).damage == Damage(kind, words))
            }
        }
    }

    @Test func `every cut is found`() throws {
        let entry = try declared(tarball)
        for length in 0..<tarball.count {
            let kind: DamageKind = length == 0 ? .empty : .truncated
            for declared in [nil, entry] {
                let verdict = try folder.inspect(Array(tarball[..<length]), declared: declared)
                #expect(verdict.damage?.kind == kind && !verdict.isUnpackable, "cut at \(length)")
            }
        }
    }

    @Test func `every flipped bit is found, without a digest all but those that say nothing`() throws {
        let entry = try declared(tarball)
        var unnoticed: Set<Int> = []
        for position in tarball.indices {
            for bit in 0..<8 {
                var damaged = tarball
                damaged[position] ^= 1 << UInt8(bit)
                let verdict = try folder.inspect(damaged, declared: entry)
                #expect(verdict.isAsPublished == false && verdict.damage != nil, "byte \(position), bit \(bit)")
                let alone = try folder.inspect(damaged)
                if alone.damage == nil {
                    unnoticed.insert(position * 8 + bit)
                    #expect(verdict.damage?.kind == .digestMismatch && alone.isUnpackable)
                } else {
                    #expect(alone.damage == verdict.damage, "byte \(position), bit \(bit)")
                }
            }
        }
        // The flag of text; time, compressor's effort and operating system.
        let header = [3 * 8] + Array(4 * 8..<10 * 8)
        #expect(unnoticed.isSuperset(of: header))
        // Bits between the end of the data and the trailer, and those that name another place with the same bytes: gzip reads the same.
        for bit in unnoticed.subtracting(header) {
            var changed = tarball
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(try Gzip.decompressed(changed) == image, "byte \(bit / 8), bit \(bit % 8)")
        }
    }

    @Test func `a second member is part of the archive, and its damage is found`() throws {
        let first = Gzip.stored(Array(image[..<700]))
        let both = try first + Gzip.compressed(Array(image[700...]))
        #expect(try folder.inspect(both).damage == nil)
        for length in 1..<both.count {
            let kind: DamageKind = (first.count...first.count + 1).contains(length) ? .badTar : .truncated
            #expect(try folder.inspect(Array(both[..<length])).damage?.kind == kind, "cut at \(length)")
        }
    }

    @Test func `random bytes are damaged, whatever they begin with`() throws {
        var generator = SplitMix(seed: 8)
        for round in 0..<600 {
            let noise = (0..<Int.random(in: 1..<3000, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let starts = [[], Gzip.Header().bytes, Array(tarball.prefix(60)), tarball]
            let bytes = starts[round % starts.count] + (noise.first == 0 ? [1] : []) + noise
            #expect(try folder.inspect(bytes).damage != nil)
        }
    }

    // MARK: Files

    @Test func `the package's manifest comes along where it is asked for`() throws {
        let manifest = Array("{\"name\":\"foo\",\"version\":\"1.0.0\"}".utf8)
        #expect(try folder.inspect(tarball, keepsManifest: true).manifest == manifest)
        #expect(try folder.inspect(Array(tarball.dropLast()), keepsManifest: true).manifest == manifest)
        #expect(try folder.inspect(Gzip.stored(Array(image.dropFirst(1024))), keepsManifest: true).manifest == nil)
    }

    @Test func `large files are judged as small ones are, in the order of the jobs`() throws {
        var generator = SplitMix(seed: 9)
        let noise = (0..<1_500_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        // Around the sizes at which files are read in pieces, and read alone; enough of them to fill a group several times.
        let counts = [10, 262_144, 600_000, 1_048_000, 1_048_576, 1_048_577, 1_400_000, 100, 900_000, 900_000, 900_000, 900_000, 1000]
        var jobs: [TarballInspector.Job] = []
        var expected: [(isPublished: Bool, SHA512Digest, SHA1Digest?)] = []
        for (index, count) in counts.enumerated() {
            var member = Gzip.stored(TarImage(package: "p\(index)", files: [("noise", Array(noise.prefix(count)))]).bytes)
            let entry = try declared(member, by: index.isMultiple(of: 2) ? "sha512" : "sha1")
            if index % 3 == 2 { member[member.count / 2] ^= 1 }
            let path = folder.path.appending("\(index).tgz")
            try folder.files.write(member, to: path)
            jobs.append(.init(path: path, declared: entry.digests, keepsManifest: true))
            expected.append((index % 3 != 2, SHA512.digest(of: member), index.isMultiple(of: 2) ? nil : try sha1(member)))
        }
        let gone = folder.path.appending("gone.tgz")
        jobs.insert(.init(path: gone), at: 6)
        let outcomes = folder.inspector.inspect(jobs)
        #expect(outcomes.count == jobs.count)
        guard case .vanished = outcomes[6] else { throw FileSystemError("miss", gone, .fileExists) }
        for (index, outcome) in (outcomes[..<6] + outcomes[7...]).enumerated() {
            guard case .judged(let verdict) = outcome else { throw FileSystemError("judge", jobs[index].path, .ioError) }
            let (isPublished, sha512, sha1) = expected[index]
            #expect(verdict.isAsPublished == isPublished && verdict.damage?.kind == (isPublished ? nil : .checksum), "\(counts[index])")
            #expect(verdict.proof == TarballProof(sha512: sha512, sha1: sha1, size: verdict.identity.size), "\(counts[index])")
            #expect(verdict.manifest == Array("{\"name\":\"p\(index)\",\"version\":\"1.0.0\"}".utf8))
            #expect(verdict.identity == (try folder.files.status(of: folder.path.appending("\(index).tgz"))?.identity))
        }
    }

    @Test func `what is no file, or changes while it is read, is not judged`() throws {
        let path = folder.path.appending("tarball.tgz")
        let link = folder.path.appending("link.tgz")
        try folder.files.write(tarball, to: path)
        try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: path.string)
        // A file of the kernel's says that it is empty, and is not.
        let jobs = [folder.path, link, FilePath("/proc/self/status"), path].map { TarballInspector.Job(path: $0) }
        let words = folder.inspector.inspect(jobs).map { outcome in
            switch outcome {
            case .judged(let verdict): verdict.damage?.description ?? "good"
            case .changed: "changed"
            case .vanished: "vanished"
            case .unreadable(let error): "\(error.errno.rawValue)"
            }
        }
        #expect(words == ["\(Errno.isDirectory.rawValue)", "\(Errno.tooManySymbolicLinkLevels.rawValue)", "changed", "good"])
    }

    @Test func `several threads are served at once`() async throws {
        let inspector = folder.inspector
        let jobs = try (0..<40).map { index in
            let path = folder.path.appending("\(index).tgz")
            try folder.files.write(index.isMultiple(of: 2) ? tarball : Array(tarball.dropLast(index)), to: path)
            return TarballInspector.Job(path: path)
        }
        await withTaskGroup(of: [Bool].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    inspector.inspect(jobs).map { outcome in
                        if case .judged(let verdict) = outcome { verdict.damage == nil } else { false }
                    }
                }
            }
            for await found in group { #expect(found == (0..<40).map { $0.isMultiple(of: 2) }) }
        }
    }
}

private func sha1(_ bytes: [UInt8]) throws -> SHA1Digest {
    let hasher = SHA1Hasher()
    bytes.withUnsafeBytes { hasher.update($0) }
    return hasher.finalize()
}

/// The entry of a packument that publishes these bytes, with their SHA-512, their SHA-1, or neither.
private func declared(_ bytes: [UInt8], by algorithm: String? = "sha512") throws -> DeclaredVersion {
    var dist = JSONObject(uniqueMembers: [("tarball", "http://localhost:4873/foo/-/foo-1.0.0.tgz")])
    if algorithm == "sha512" {
        dist["integrity"] = .string("sha512-\(Data(SHA512.digest(of: bytes).bytes).base64EncodedString())")
    } else if algorithm == "sha1" {
        dist["shasum"] = .string(try sha1(bytes).hex)
    }
    return try DeclaredVersion.read("1.0.0", .object(JSONObject(uniqueMembers: [("dist", .object(dist))]))).get()
}

/// A folder for tarballs, and an inspector of them.
final class Folder {
    let files = DiskFileSystem()
    let path = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-archives-\(UUID().uuidString)")
    let inspector = TarballInspector()

    init() throws { try files.createDirectories(path) }

    deinit { try? files.removeTree(path) }

    func inspect(_ bytes: [UInt8], declared: DeclaredVersion? = nil, keepsManifest: Bool = false) throws -> TarballVerdict {
        let file = path.appending("tarball.tgz")
        try files.write(bytes, to: file)
        guard
            case .judged(let verdict) = inspector.inspect(
                .init(path: file, declared: declared?.digests ?? DeclaredDigests(), keepsManifest: keepsManifest))
        else {
            throw FileSystemError("judge", file, .ioError)
        }
        return verdict
    }
}
