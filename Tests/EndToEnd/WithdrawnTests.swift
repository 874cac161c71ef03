import BundleFormat
import CanonicalJSON
import ImportPipeline
import Integrity
import PackageStore
import Platform
import Snapshots
import SystemPackage
import Testing

/// What upstream has withdrawn, deprecated and tagged anew reaches the other side, though Verdaccio does not pick it up.
@Suite struct WithdrawnTests {
    /// A storage that holds two versions of `foo`, of which a snapshot was taken, and other packages, so that none of this is shrinking.
    private func world() throws -> (World, SnapshotID) {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"], isProxied: true)
        for number in 0..<20 { try world.put("filler-\(number)", ["1.0.0": "\(number)"]) }
        return (world, try world.snapshot().header.id)
    }

    /// What a bundle from a snapshot to the newest says was removed, and why.
    private func removed(_ world: World, since baseline: SnapshotID) throws -> [String: RemovalReason] {
        let source = try ArchiveSource(volumes: [world.bundle(from: baseline)])
        let work = world.root.appending("work")
        try world.files.createDirectories(work)
        defer { try? world.files.removeTree(work) }
        let reader = try BundleReader(source: source, tail: BundleTail(of: source), work: work) { _, _ in }
        _ = try reader.readLeading()
        var manifest = try reader.manifest()
        while try manifest.nextFile() != nil {}
        var result: [String: RemovalReason] = [:]
        while let (file, reason) = try manifest.nextRemoved() { result[file.path.description] = reason }
        return result
    }

    @Test func `a hijacked release that upstream has withdrawn does not stay latest inside`() throws {
        let (world, first) = try world()
        try world.run(world.bundle())
        #expect(try world.packument("foo")["dist-tags"] == ["latest": "2.0.0"])
        try world.refresh("foo", ["1.0.0": ["deprecated": "use bar"]], tags: ["latest": "1.0.0"])
        let report = try world.snapshot()
        #expect(report.isNew && report.hashedFiles == 0 && report.withheld == [])
        #expect(report.withdrawn.map(\.description) == ["foo/foo-2.0.0.tgz"])
        #expect(report.findings.map(\.code) == [.versionWithdrawn])
        #expect(try removed(world, since: first) == ["foo/foo-2.0.0.tgz": .withdrawn])

        let before = try world.contents()
        let imported = try world.run(world.bundle(from: first))
        #expect(imported.withdrawn.map(\.description) == ["foo/foo-2.0.0.tgz"])
        let inside = try world.packument("foo")
        #expect(inside["dist-tags"] == ["latest": "1.0.0"])
        #expect(inside["versions"]?.object?["1.0.0"]?.object?["deprecated"] == "use bar")
        // The importer deletes nothing.
        #expect(try world.contents().keys.sorted() == before.keys.sorted())
        try world.expectServable()
    }

    @Test func `a fresh storage is not given what upstream has withdrawn`() throws {
        let (world, _) = try world()
        try world.refresh("foo", ["1.0.0": [:]], tags: ["latest": "1.0.0"])
        try world.snapshot()
        try world.run(world.bundle())
        let inside = try world.packument("foo")
        #expect(inside["versions"]?.object?.members.map(\.name) == ["1.0.0"] && inside["dist-tags"] == ["latest": "1.0.0"])
        #expect(try world.contents()["foo/foo-2.0.0.tgz"] == nil)
        try world.expectServable()
    }

    @Test func `a snapshot under the same overlay is the same one`() throws {
        let (world, _) = try world()
        try world.refresh("foo", ["1.0.0": [:]], tags: ["latest": "1.0.0"])
        let first = try world.snapshot()
        let again = try world.snapshot()
        #expect(!again.isNew && again.hashedFiles == 0 && again.passes == 1 && again.withdrawn == first.withdrawn)
    }

    @Test func `what upstream has again is carried again`() throws {
        let (world, first) = try world()
        try world.refresh("foo", ["1.0.0": [:]], tags: ["latest": "1.0.0"])
        let second = try world.snapshot()
        try world.refresh("foo")
        let report = try world.snapshot()
        #expect(report.withdrawn == [] && report.hashedFiles == 0 && report.header.stateRoot != second.header.stateRoot)
        #expect(try removed(world, since: first) == [:])
        #expect(try removed(world, since: second.header.id) == [:])
    }

    @Test func `what was withdrawn stays so when its tarball has left, and a later bundle says it`() throws {
        let (world, first) = try world()
        try world.refresh("foo", ["1.0.0": [:]], tags: ["latest": "1.0.0"])
        try world.snapshot()
        _ = try world.files.remove(world.online.appending("foo/foo-2.0.0.tgz"))
        #expect(try !world.snapshot().isNew)
        try world.put("bar", ["1.0.0": "bar"])
        #expect(try world.snapshot().withdrawn.map(\.description) == ["foo/foo-2.0.0.tgz"])
        #expect(try removed(world, since: first) == ["foo/foo-2.0.0.tgz": .withdrawn])
    }

    @Test func `what was withheld and is withdrawn then makes a new snapshot`() throws {
        let (world, first) = try world()
        try world.files.write(Array("flipped".utf8), to: world.online.appending("foo/foo-2.0.0.tgz"))
        let damaged = try world.snapshot()
        #expect(damaged.withheld.map(\.description) == ["foo/foo-2.0.0.tgz"])
        try world.refresh("foo", ["1.0.0": [:]])
        let after = try world.snapshot()
        #expect(after.isNew && after.withheld == [] && after.withdrawn == damaged.withheld)
        #expect(try removed(world, since: first) == ["foo/foo-2.0.0.tgz": .withdrawn])
        // Upstream has it again, and it is as damaged as before.
        try world.refresh("foo")
        #expect(try world.snapshot().withheld == damaged.withheld)
        #expect(try removed(world, since: first) == [:])
    }

    @Test func `a package that was withdrawn as a whole goes with its packument`() throws {
        let (world, first) = try world()
        try world.refresh("foo", ["3.0.0": [:]])
        #expect(try world.snapshot(allowsShrinking: true).withheld == [])
        let gone = ["foo/foo-1.0.0.tgz", "foo/foo-2.0.0.tgz", "foo/package.json"]
        #expect(try removed(world, since: first) == Dictionary(uniqueKeysWithValues: gone.map { ($0, .withdrawn) }))
    }

    @Test func `what was published here is not withdrawn, whatever upstream says`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"])
        let first = try world.snapshot()
        try world.refresh("foo", ["1.0.0": ["deprecated": "old"]], tags: ["latest": "1.0.0"])
        #expect(try !world.snapshot().isNew)
        #expect(try removed(world, since: first.header.id) == [:])
    }
}
