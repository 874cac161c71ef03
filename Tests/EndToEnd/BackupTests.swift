import Backups
import BundleFormat
import CanonicalJSON
import ImportLedger
import ImportPipeline
import PackageStore
import Platform
import Rollbacks
import Snapshots
import SystemPackage
import Testing

/// What an import replaces is kept, to the byte, on the storage's own file system.
@Suite struct BackupTests {
    @Test func `a packument is kept as it stood, a new package is not, and what changes nothing keeps nothing`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        try world.put("@scope/same", ["1.0.0": "same"])
        try world.snapshot()
        try world.run(world.bundle())
        #expect(try world.backups().keys.filter { $0.contains("before") } == [])
        let before = try world.contents()
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"])
        try world.put("new", ["1.0.0": "new"])
        try world.snapshot()
        try world.run(world.bundle())
        let kept = try world.backups().filter { $0.key.hasSuffix("before.json") }
        #expect(kept.keys.map { $0.split(separator: "/").last } == ["foo+1.before.json"])
        #expect(kept.values.first == before["foo/package.json"])
    }

    @Test func `a generation is complete, can be checked with sha512sum, and is listed`() throws {
        let world = try World()
        try world.put("@scope/foo", ["1.0.0": "foo one"])
        try world.snapshot()
        try world.run(world.bundle())
        try world.files.write(Array("rotten!".utf8), to: world.isolated.appending("@scope/foo/foo-1.0.0.tgz"))
        try world.put("@scope/foo", ["1.0.0": "foo one", "2.0.0": "foo two"])
        try world.snapshot()
        try world.run(world.bundle())
        let entries = try GenerationKeeper(layout: StorageLayout(root: world.isolated), ledger: world.ledger).list()
        #expect(entries.map { $0.record?.id } == [1, 2])
        let summary = try #require(entries.last?.summary)
        #expect(summary.packuments == 1 && summary.tarballs == 1 && summary.isSealed)
        let sums = try #require(try world.backups()["\(summary.name)/SHA512SUMS"])
        let lines = String(decoding: sums, as: UTF8.self).split(separator: "\n").map { $0.dropFirst(130) }
        #expect(
            lines == ["files/@scope+foo/foo-1.0.0.tgz", "packuments/@scope+foo+1.after.zst", "packuments/@scope+foo+1.before.json"])
    }

    @Test func `generations over the limit go, but none of an import that did not end`() throws {
        let world = try World()
        let keeper = GenerationKeeper(layout: StorageLayout(root: world.isolated), ledger: world.ledger)
        var bundles: [FilePath] = []
        for version in 1...3 {
            try world.put("foo", ["\(version).0.0": "foo \(version)"])
            try world.snapshot(allowsShrinking: true)
            bundles.append(try world.bundle())
        }
        let faulty = CrashingFileSystem(stepsUntilCrash: 20)
        let pipeline = ImportPipeline(
            layout: StorageLayout(root: world.isolated), state: world.root.appending("offline-state"), ledger: world.ledger,
            trust: world.trust, destination: world.destination, options: .oneAtATime, files: faulty)
        try world.run(bundles[0])
        #expect(throws: FileSystemError.self) {
            try pipeline.run(ArchiveSource(volumes: [bundles[1]]), operatorName: "tester", sourceName: "test")
        }
        try world.pipeline().recover()
        try world.run(bundles[2])
        let now = WallClock.system.now()
        let expected = try keeper.prune(Retention(count: 1), now: now, isDryRun: true).compactMap { $0.record?.id }
        #expect(expected == [1])
        #expect(try keeper.list().count == 3)
        #expect(try keeper.prune(Retention(count: 0), now: now, isDryRun: false).compactMap { $0.record?.id } == [1, 3])
        #expect(try keeper.list().compactMap { $0.record?.id } == [2])
        #expect(throws: RollbackRefusal.self) { try world.rollBack(3) }
    }

    @Test func `a clock that is ahead while a bundle is imported lets no generation go by its age`() throws {
        let world = try World()
        let future = try #require(Timestamp("2099-01-01T00:00:00Z"))
        for version in 1...3 {
            try world.put("foo", ["\(version).0.0": "foo \(version)"])
            try world.snapshot(allowsShrinking: true)
            let pipeline = ImportPipeline(
                layout: StorageLayout(root: world.isolated), state: world.root.appending("offline-state"), ledger: world.ledger,
                trust: world.trust, destination: world.destination, options: .oneAtATime,
                clock: version == 3 ? WallClock { future } : .system)
            _ = try pipeline.run(ArchiveSource(volumes: [world.bundle()]), operatorName: "tester", sourceName: "test")
        }
        let keeper = GenerationKeeper(layout: StorageLayout(root: world.isolated), ledger: world.ledger)
        #expect(try keeper.prune(Retention(days: 30), now: future, isDryRun: false).isEmpty)
        #expect(try keeper.list().count == 3)
    }

    @Test func `a generation whose removal was cut off is there or gone, and what is left of it goes`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        try world.snapshot()
        try world.run(world.bundle())
        var steps = 0
        while true {
            let keeper = GenerationKeeper(
                layout: StorageLayout(root: world.isolated), ledger: world.ledger, files: CrashingFileSystem(stepsUntilCrash: steps))
            do {
                _ = try keeper.prune(Retention(count: 0), now: WallClock.system.now(), isDryRun: false)
                break
            } catch is FileSystemError {
                steps += 1
            }
            let keepers = GenerationKeeper(layout: StorageLayout(root: world.isolated), ledger: world.ledger)
            let entry = try #require(try keepers.list().first)
            #expect(entry.summary == nil || entry.summary?.isSealed == true)
        }
        #expect(steps > 0)
        try GenerationKeeper(layout: StorageLayout(root: world.isolated), ledger: world.ledger).recover()
        #expect(try world.backups().isEmpty)
    }
}
