import Archives
import BundleFormat
import CanonicalJSON
import ImportLedger
import ImportPipeline
import Integrity
import PackageStore
import Platform
import Snapshots
import SystemPackage
import Testing
import Verification

/// An isolated side that accepts unsigned bundles, so that nothing but the format stands between a forger and the storage.
private final class Target {
    let root: FilePath
    let ledger: Ledger
    let files = DiskFileSystem()

    init() throws {
        root = FilePath("/tmp/ferry-damage-\(SHA512.digest(of: randomBytes(16)).hex.prefix(16))")
        try files.createDirectories(root.appending("storage"))
        try files.createDirectories(root.appending("state"))
        ledger = try Ledger(opening: root.appending("state/ledger.sqlite"))
    }

    deinit { try? files.removeTree(root) }

    /// Imports an archive's bytes; whatever comes of it, a refusal must leave the storage empty.
    func attempt(_ bytes: [UInt8]) throws {
        let archive = root.appending("archive")
        try files.write(bytes, to: archive)
        var options = ImportPipeline.Options()
        options.allowsUnsigned = true
        let pipeline = ImportPipeline(
            layout: StorageLayout(root: root.appending("storage")), state: root.appending("state"), ledger: ledger, trust: nil,
            destination: Identifier(.destination, random: randomBytes(20)), options: options)
        do {
            _ = try pipeline.run(ArchiveSource(volumes: [archive]), operatorName: "forger", sourceName: "test")
        } catch {
            #expect(try files.names(in: root.appending("storage")) == [], "refused, and yet something was written")
            #expect(try ledger.imports().isEmpty)
            throw error
        }
    }
}

@Suite struct DamageTests {
    private func refusal(_ bundle: ForgedBundle) throws -> (any Error)? {
        do {
            try Target().attempt(bundle.bytes())
            return nil
        } catch {
            return error
        }
    }

    private func expect(_ expected: BundleError.Code, _ bundle: ForgedBundle, _ name: String) throws {
        let error = try refusal(bundle)
        #expect((error as? BundleError)?.code == expected, "\(name): \(error.map { "\($0)" } ?? "accepted")")
    }

    @Test func `the forger's sound bundle is accepted, so that the refusals mean something`() throws {
        #expect(try refusal(ForgedBundle()) == nil)
        #expect(try refusal(ForgedBundle(package: "@scope/foo")) == nil)
    }

    @Test(arguments: [
        ("symbolic link", "2"), ("hard link", "1"), ("character device", "3"), ("block device", "4"), ("directory", "5"), ("pipe", "6"),
    ])
    func `what is not a regular file is refused`(name: String, type: String) throws {
        for place in 0..<2 {
            var bundle = try ForgedBundle()
            bundle.entries[place].type = Character(type)
            bundle.entries[place].link = "/etc/passwd"
            let error = try refusal(bundle)
            #expect(error is BundleError, "\(name) at \(place): \(error.map { "\($0)" } ?? "accepted")")
        }
    }

    @Test(arguments: [
        "../evil", "/etc/evil", "storage/../../evil", "storage/foo/..%2f..%2fevil", "storage/foo/%2e%2e/evil", "storage\\foo\\evil",
        "storage/foo/./foo-1.0.0.tgz", "storage//foo/foo-1.0.0.tgz", "storage/foo/foo-1.0.0.tgz/", "storage/FOO/foo-1.0.0.tgz",
        "storage/foo/foo-1.0.1.tgz", "",
    ])
    func `an entry under another name than declared is refused`(path: String) throws {
        var bundle = try ForgedBundle()
        bundle.entries[0].path = path
        #expect(try refusal(bundle) is BundleError)
    }

    @Test(arguments: [
        "../evil/evil-1.0.0.tgz", "/abs/abs-1.0.0.tgz", "a/../b/b-1.0.0.tgz", "foo%2f..%2fx/x-1.0.0.tgz", ".hidden/x-1.0.0.tgz",
        "@s/../x/x-1.0.0.tgz", "foo/.x.tgz", "foo/x.sh", "node_modules/x-1.0.0.tgz", "a\\u002fb/x.tgz", "foo/x-1.0.0.tgz\\u0000.tgz",
    ])
    func `a declared name that could leave the storage is refused`(path: String) throws {
        var bundle = try ForgedBundle()
        bundle.add(path: path, Array("evil".utf8), version: "1.0.0")
        bundle.finishManifest()
        let error = try refusal(bundle)
        #expect(error is DocumentError || (error as? BundleError)?.code == .malformed, "\(error.map { "\($0)" } ?? "accepted")")
    }

    /// Everything a bundle says of its own version, and what follows from another one.
    @Test(arguments: ["descriptor", "manifest"])
    func `a bundle of a newer format is refused as that, and not as damaged`(document: String) throws {
        var forged = try ForgedBundle()
        func ofTomorrow(_ bytes: [UInt8]) -> [UInt8] {
            Array(String(decoding: bytes, as: UTF8.self).replacing("\"formatVersion\":1", with: "\"formatVersion\":2").utf8)
        }
        if document == "manifest" { forged.manifest = ofTomorrow(forged.manifest) }
        var bytes = try forged.bytes()
        if document == "descriptor" {
            let place = FilePath("/tmp/ferry-damage-\(SHA512.digest(of: randomBytes(16)).hex.prefix(16))")
            defer { try? DiskFileSystem().removeTree(place) }
            try DiskFileSystem().write(bytes, to: place)
            let described = try ofTomorrow(BundleTail(of: ArchiveSource(volumes: [place])).descriptorBytes)
            // Behind it stand the header of no signatures and the trailer, which ends with the digest.
            let start = bytes.count - 8 - 120 - described.count
            bytes.replaceSubrange(start..<(start + described.count), with: described)
            var digest: [UInt8] = []
            SHA512.digest(of: described).append(to: &digest)
            bytes.replaceSubrange((bytes.count - digest.count)..., with: digest)
        }
        let error = #expect(throws: DocumentError.self) { try Target().attempt(bytes) }
        #expect(error?.isNewer == true && "\(error.map { "\($0)" } ?? "")".contains("is of format version 2, from a newer program"))
    }

    @Test func `undeclared, missing, reordered and repeated entries are refused`() throws {
        var undeclared = try ForgedBundle()
        undeclared.entries.append(ForgedBundle.Entry(path: "storage/foo/evil-1.0.0.tgz", content: [1]))
        try expect(.hostile, undeclared, "undeclared")
        var missing = try ForgedBundle()
        missing.entries.removeLast()
        try expect(.hostile, missing, "missing")
        var reordered = try ForgedBundle()
        reordered.entries.swapAt(0, 1)
        try expect(.hostile, reordered, "reordered")
        var repeated = try ForgedBundle()
        repeated.entries.insert(repeated.entries[0], at: 0)
        try expect(.hostile, repeated, "repeated")
    }

    @Test func `other bytes and other sizes than declared are refused`() throws {
        var flipped = try ForgedBundle()
        flipped.entries[0].content[0] ^= 1
        try expect(.damaged, flipped, "flipped")
        var longer = try ForgedBundle()
        longer.entries[0].content.append(0)
        try expect(.hostile, longer, "longer")
        var bomb = try ForgedBundle()
        bomb.entries[0].content = [UInt8](repeating: 0, count: 64 << 20)
        try expect(.hostile, bomb, "bomb")
        var lying = try ForgedBundle()
        lying.entries[1].claimedSize = 8 << 20
        #expect(try refusal(lying) is BundleError)
    }

    @Test(arguments: [0, 1 << 20, (3 << 20) - 1, 3 << 20, 3 << 20 | 6])
    func `a file that is too large to be held is proven to its last byte`(place: Int) throws {
        let content = String(repeating: "0123456789abcdef", count: 3 << 16) + "the end"
        #expect(try refusal(ForgedBundle(content: content)) == nil)
        var flipped = try ForgedBundle(content: content)
        flipped.entries[0].content[place] ^= 1
        try expect(.damaged, flipped, "flipped at \(place)")
    }

    @Test func `data behind the tar and hidden frames are refused`() throws {
        var trailing = try ForgedBundle()
        trailing.trailing = [UInt8](repeating: 0, count: 100_000) + Array("hidden".utf8)
        try expect(.hostile, trailing, "trailing")
        var hidden = try ForgedBundle()
        hidden.hiddenFrame = ZstdFrameWriter.skippableFrame(variant: 7, payload: Array("hidden".utf8))
        try expect(.hostile, hidden, "hidden frame")
    }

    @Test(arguments: [-1, 1]) func `a leading frame of another length than declared is refused`(error: Int64) throws {
        var bundle = try ForgedBundle()
        bundle.leadingLengthError = error
        try expect(.malformed, bundle, "leading frame")
    }

    @Test func `a packument that would break the registry is refused`() throws {
        let digest = SHA512.digest(of: Array("foo one".utf8))
        func with(_ form: [UInt8]) throws -> ForgedBundle {
            var bundle = try ForgedBundle(package: "a")
            bundle.add(path: "foo/package.json", form, version: nil)
            bundle.finishManifest()
            return bundle
        }
        // It names a tarball that the target does not hold, or is of another package, or no form at all.
        try expect(.malformed, with(ForgedBundle.form(package: "foo", file: "foo-1.0.0.tgz", integrity: digest)), "absent tarball")
        #expect(try refusal(with(ForgedBundle.form(package: "bar", file: "bar-1.0.0.tgz", integrity: digest))) is DocumentError)
        #expect(try refusal(with(Array("{}".utf8))) is DocumentError)
        var other = try ForgedBundle()
        let wrong = ForgedBundle.form(package: "zoo", file: "zoo-1.0.0.tgz", integrity: SHA512.digest(of: [1]))
        other.add(path: "zoo/package.json", wrong, version: nil)
        other.finishManifest()
        #expect(try refusal(other) != nil)
    }

    @Test func `what is said to have left, and is in the target state, is refused`() throws {
        var bundle = try ForgedBundle()
        bundle.removedCount = 1
        bundle.removed = [
            #"{"kind":"tarball","package":"foo","path":"foo/foo-1.0.0.tgz","reason":"withdrawn","sha512":"\#(SHA512.digest(of: [1]))","version":"1.0.0"}"#
        ]
        bundle.finishManifest()
        try expect(.malformed, bundle, "left and held")
        var gone = try ForgedBundle()
        gone.removedCount = 1
        gone.removed = [bundle.removed[0].replacing("foo", with: "zoo")]
        gone.finishManifest()
        #expect(try refusal(gone) == nil, "what it says of others is sound")
    }

    @Test func `a manifest that contradicts the target state is refused`() throws {
        var bundle = try ForgedBundle()
        bundle.snapshot = Array("\(SHA512.digest(of: [1]))  foo/foo-1.0.0.tgz\n".utf8)
        #expect(try refusal(bundle) is BundleError)
        var limit = try ForgedBundle()
        limit.manifest = Array(String(repeating: " ", count: 5000).utf8) + limit.manifest
        #expect(try refusal(limit) is FileSystemError)
    }

    @Test func `no flipped bit and no cut of an archive goes unnoticed`() throws {
        let bytes = try ForgedBundle().bytes()
        let target = try Target()
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= 1 << UInt8(position % 8)
            #expect(throws: (any Error).self, "byte \(position)") { try target.attempt(damaged) }
        }
        for length in stride(from: 0, to: bytes.count, by: 7) {
            #expect(throws: (any Error).self, "cut at \(length)") { try target.attempt(Array(bytes[..<length])) }
        }
        #expect(throws: BundleError.self) { try target.attempt(bytes + [0]) }
    }
}
