import Catalog
import Integrity
import PackageStore
import Platform
import Snapshots
import SystemPackage
import Testing

/// What the catalog keeps of checks and repairs.
@Suite struct DamageTests {
    private func results(_ world: StorageWorld, damaged: Set<String> = []) throws -> [CheckResult] {
        try world.catalog.checkCandidates(after: .start, all: false, limit: 100).map { candidate in
            let bytes = try #require(
                try world.files.contents(
                    of: world.storage.appending(candidate.path.package.text).appending(candidate.path.file.text), limit: 1 << 20))
            let proof = TarballProof(sha512: SHA512.digest(of: bytes), sha1: nil, size: Int64(bytes.count))
            let isDamaged = damaged.contains(candidate.path.file.text)
            return CheckResult(candidate: candidate, proof: proof, damage: isDamaged ? Damage(.truncated, "it ends too early") : nil)
        }
    }

    private func check(_ world: StorageWorld, damaged: Set<String> = []) throws {
        try world.scan()
        try world.catalog.keep(results(world, damaged: damaged), at: world.now)
        try world.catalog.keepUnnamed(at: world.now)
    }

    private func open(_ world: StorageWorld) throws -> [String] {
        try world.catalog.brokenArchives().map { "\($0.path) \($0.damage.kind.rawValue) \($0.state.rawValue)" }
    }

    @Test func `every tarball is a candidate once, and again when it was touched`() throws {
        let world = try StorageWorld()
        try world.put("foo", ["1.0.0", "1.1.0"])
        try world.put("bar", ["1.0.0"])
        try world.scan()
        #expect(try world.catalog.checkWork(all: false).tarballs == 3)
        try check(world)
        #expect(try world.catalog.checkWork(all: false).tarballs == 0)
        #expect(try world.catalog.checkWork(all: true).tarballs == 3)
        try world.files.replace(world.storage.appending("foo/foo-1.0.0.tgz"), with: [1, 2, 3])
        try world.scan()
        #expect(try world.catalog.checkCandidates(after: .start, all: false, limit: 9).map(\.path.description) == ["foo/foo-1.0.0.tgz"])
        #expect(try world.detail("foo").versions.map { $0.tarball?.sha512 == nil } == [false, true])
    }

    @Test func `candidates come in pages without a gap`() throws {
        let world = try StorageWorld()
        for name in ["a", "b", "c"] { try world.put(name, ["1.0.0", "1.1.0", "1.2.0"]) }
        try world.scan()
        var cursor = CheckCursor.start
        var paths: [String] = []
        while true {
            let page = try world.catalog.checkCandidates(after: cursor, all: true, limit: 2)
            guard let last = page.last else { break }
            paths += page.map(\.path.description)
            cursor = last.cursor
        }
        #expect(paths.count == 9 && Set(paths).count == 9)
    }

    @Test func `damage is listed until the file is good or gone, and counted with its package`() throws {
        let world = try StorageWorld()
        try world.put("foo", ["1.0.0", "1.1.0"])
        try check(world, damaged: ["foo-1.0.0.tgz", "foo-1.1.0.tgz"])
        #expect(try open(world) == ["foo/foo-1.0.0.tgz truncated damaged", "foo/foo-1.1.0.tgz truncated damaged"])
        #expect(try world.detail("foo").summary.broken == 2)
        #expect(try world.detail("foo").versions.map { $0.tarball?.damage } == ["truncated", "truncated"])
        #expect(try world.catalog.damagedTarballs().count == 2 && world.catalog.damagedDigests().count == 2)

        // One is replaced by a good one, the other is taken away.
        try world.files.replace(world.storage.appending("foo/foo-1.0.0.tgz"), with: Array("foo 1.0.0".utf8))
        try world.files.removeTree(world.storage.appending("foo/foo-1.1.0.tgz"))
        try world.scan()
        #expect(try open(world) == ["foo/foo-1.0.0.tgz truncated damaged"])
        #expect(try world.catalog.damagedTarballs().isEmpty, "nobody has seen the new file yet")
        try check(world)
        #expect(try open(world).isEmpty && world.detail("foo").summary.broken == 0)
    }

    @Test func `what no version names and what cannot be read are listed, too`() throws {
        let world = try StorageWorld()
        try world.put("foo", ["1.0.0"])
        try world.put("lost", ["1.0.0"])
        try world.put("cut", ["1.0.0"])
        try world.files.write([1], to: world.storage.appending("foo/foo-9.0.0.tgz"))
        try world.files.removeTree(world.storage.appending("lost/package.json"))
        try world.files.write(Array("{\"name\":".utf8), to: world.storage.appending("cut/package.json"))
        try check(world)
        #expect(
            try open(world) == [
                "cut/package.json packument-unreadable damaged", "foo/foo-9.0.0.tgz no-packument-entry damaged",
                "lost/lost-1.0.0.tgz orphan damaged",
            ])
        // Seen again, they are the same; made good, they are gone.
        let found = try world.catalog.brokenArchives().map(\.found)
        try check(world)
        #expect(try world.catalog.brokenArchives().map(\.found) == found)
        try world.put("lost", ["1.0.0"])
        try world.put("cut", ["1.0.0"])
        try world.put("foo", ["1.0.0", "9.0.0"])
        try world.files.write(Array("foo 9.0.0".utf8), to: world.storage.appending("foo/foo-9.0.0.tgz"))
        try check(world)
        #expect(try open(world).isEmpty)
    }

    @Test func `attempts are kept, and what a repair took away stays listed`() throws {
        let world = try StorageWorld()
        try world.put("foo", ["1.0.0"])
        try check(world, damaged: ["foo-1.0.0.tgz"])
        let archive = try #require(try world.catalog.brokenArchives().first)
        try world.files.removeTree(world.storage.appending("foo/foo-1.0.0.tgz"))
        let failed = BrokenArchive.Attempt(began: world.now, ended: world.now, isRepaired: false, reason: "upstream has it no more")
        try world.catalog.keep(failed, of: archive, state: .missing, quarantined: "q/foo", isGoneUpstream: true)
        try check(world)
        let missing = try #require(try world.catalog.brokenArchives().first)
        #expect(missing.state == .missing && missing.isGoneUpstream && missing.quarantined == "q/foo" && missing.attempts == [failed])
        let repaired = BrokenArchive.Attempt(began: world.now, ended: world.now, isRepaired: true, reason: "fetched again")
        try world.catalog.keep(repaired, of: missing, state: .repaired, quarantined: nil, isGoneUpstream: false)
        #expect(try open(world).isEmpty && world.detail("foo").summary.broken == 0)
        #expect(try world.catalog.brokenArchives([.repaired]).first?.attempts == [failed, repaired])
    }

    @Test func `a snapshot reads no tarball that a check has proved, and takes none that it found damaged`() throws {
        let world = try StorageWorld()
        try world.put("foo", ["1.0.0", "1.1.0"])
        try check(world, damaged: ["foo-1.1.0.tgz"])
        func snapshot() throws -> SnapshotBuilder.Report {
            try SnapshotBuilder(
                layout: StorageLayout(root: world.storage), records: world.catalog,
                store: SnapshotStore(directory: world.root.appending("snapshots")),
                origin: world.catalog.origin { randomBytes(20) }, clock: world.clock
            ).take()
        }
        let store = SnapshotStore(directory: world.root.appending("snapshots"))
        let first = try snapshot()
        #expect(first.hashedFiles == 0 && first.header.counts.files == 2)
        #expect(try store.leftOut(of: first.header.id).map { "\($0.key) \($0.value.rawValue)" } == ["foo/foo-1.1.0.tgz tarball-damaged"])
        // A later check finds more, and nothing else has changed.
        let candidate = try #require(
            try world.catalog.checkCandidates(after: .start, all: true, limit: 9).first { $0.path.file.text == "foo-1.0.0.tgz" })
        let package = candidate.path.package
        let proof = try #require(try world.catalog.proofs(from: package, through: package)[candidate.path]).proof
        try world.catalog.keep([CheckResult(candidate: candidate, proof: proof, damage: Damage(.checksum, "wrong"))], at: world.now)
        world.move(by: 60)
        var options = SnapshotBuilder.Options()
        options.allowsShrinking = true
        let second = try SnapshotBuilder(
            layout: StorageLayout(root: world.storage), records: world.catalog, store: store,
            origin: world.catalog.origin { randomBytes(20) }, clock: world.clock
        ).take(options)
        #expect(second.isNew && second.header.counts.files == 0)
        #expect(try store.leftOut(of: second.header.id).count == 2)
        #expect(try store.withheldPaths(of: second.header.id).map(\.description).sorted() == ["foo/foo-1.0.0.tgz", "foo/package.json"])
    }

    @Test func `a packument that cannot be read takes nothing back of what it said of its tarballs`() throws {
        let world = try StorageWorld()
        try world.put("foo", ["1.0.0", "1.1.0"], local: ["2.0.0"])
        try check(world, damaged: ["foo-2.0.0.tgz"])
        let good = try #require(try world.files.contents(of: world.storage.appending("foo/package.json"), limit: 1 << 20))
        try world.files.replace(world.storage.appending("foo/package.json"), with: Array(good.prefix(good.count / 2)))
        try world.scan()
        #expect(try world.catalog.checkWork(all: false).tarballs == 0, "no tarball was touched")
        try world.catalog.keepUnnamed(at: world.now)
        #expect(try open(world) == ["foo/foo-2.0.0.tgz truncated damaged", "foo/package.json packument-unreadable damaged"])
        #expect(try world.catalog.brokenArchives().map(\.version) == ["2.0.0", nil])
        #expect(try world.detail("foo").versions.filter(\.isLocal).map { $0.tarball?.damage } == ["truncated"])
        try world.files.replace(world.storage.appending("foo/package.json"), with: good)
        try world.scan()
        #expect(try world.catalog.checkWork(all: false).tarballs == 0)
        #expect(try open(world) == ["foo/foo-2.0.0.tgz truncated damaged"])
    }

    @Test func `a tarball is known to be missing before it is taken away, and to have stayed where a repair was killed in between`() throws
    {
        let world = try StorageWorld()
        try world.put("foo", ["1.0.0", "1.1.0"])
        let damaged: Set = ["foo-1.0.0.tgz", "foo-1.1.0.tgz"]
        try check(world, damaged: damaged)
        for archive in try world.catalog.brokenArchives() { try world.catalog.noteTaken(archive, quarantined: "/q/\(archive.path)") }
        try world.files.removeTree(world.storage.appending("foo/foo-1.0.0.tgz"))
        #expect(try world.catalog.damagedTarballs().keys.map(\.description).sorted() == ["foo/foo-1.0.0.tgz", "foo/foo-1.1.0.tgz"])
        try check(world, damaged: damaged)
        #expect(try open(world) == ["foo/foo-1.0.0.tgz truncated missing", "foo/foo-1.1.0.tgz truncated damaged"])
        #expect(try world.catalog.damagedTarballs().keys.map(\.description) == ["foo/foo-1.1.0.tgz"])
        #expect(try world.catalog.takenAway().map(\.description) == ["foo/foo-1.0.0.tgz"])
        #expect(try world.catalog.brokenArchives().first?.quarantined == "/q/foo/foo-1.0.0.tgz")
    }

    @Test func `a packument that a repair took away and that somebody else has fetched is no longer missing`() throws {
        let world = try StorageWorld()
        try world.put("foo", ["1.0.0"])
        let packument = world.storage.appending("foo/package.json")
        let good = try #require(try world.files.contents(of: packument, limit: 1 << 20))
        try world.files.replace(packument, with: [])
        try check(world)
        try world.catalog.noteTaken(#require(try world.catalog.brokenArchives().first), quarantined: "/q")
        try world.files.removeTree(packument)
        try check(world)
        #expect(try open(world).contains("foo/package.json packument-unreadable missing"))
        try world.files.replace(packument, with: good)
        try check(world)
        #expect(try open(world) == [])
    }

    @Test func `what a repair took away and has not replaced is withheld, not removed, and named`() throws {
        let world = try StorageWorld()
        try world.put("foo", (0..<60).map { "1.\($0).0" })
        try check(world)
        let store = SnapshotStore(directory: world.root.appending("snapshots"))
        func snapshot() throws -> SnapshotBuilder.Report {
            world.move(by: 60)
            return try SnapshotBuilder(
                layout: StorageLayout(root: world.storage), records: world.catalog, store: store,
                origin: world.catalog.origin { randomBytes(20) }, clock: world.clock
            ).take()
        }
        _ = try snapshot()
        let tarball = world.storage.appending("foo/foo-1.7.0.tgz")
        try world.files.replace(tarball, with: [1, 2, 3])
        try check(world, damaged: ["foo-1.7.0.tgz"])
        try world.catalog.noteTaken(#require(try world.catalog.brokenArchives().first), quarantined: "/q")
        try world.files.removeTree(tarball)
        // What somebody else takes away has left the storage.
        try world.files.removeTree(world.storage.appending("foo/foo-1.9.0.tgz"))
        let report = try snapshot()
        #expect(report.withheld.map(\.description) == ["foo/foo-1.7.0.tgz"])
        #expect(try store.leftOut(of: report.header.id).map { "\($0.key) \($0.value.rawValue)" } == ["foo/foo-1.7.0.tgz tarball-damaged"])
        // When the good one is there again, it travels again.
        try world.files.replace(tarball, with: Array("foo 1.7.0".utf8))
        try check(world)
        let last = try snapshot()
        #expect(last.withheld.isEmpty && last.header.counts.files == 60)
        #expect(try store.leftOut(of: last.header.id).isEmpty)
    }
}
