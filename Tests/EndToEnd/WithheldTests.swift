import BundleFormat
import CanonicalJSON
import Integrity
import PackageStore
import Platform
import Snapshots
import SystemPackage
import Testing

/// What stands in the storage and cannot be taken has not left it.
@Suite struct WithheldTests {
    /// A storage of which two snapshots were taken: `foo` is damaged in the second, and `gone` is gone.
    private func damaged(_ damage: String) throws -> (World, SnapshotID) {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one", "1.1.0": "foo two"])
        try world.put("gone", ["1.0.0": "gone"])
        try world.put("bar", ["1.0.0": "bar one"])
        let first = try world.snapshot()
        try spoil(world, damage)
        try world.files.removeTree(world.online.appending("gone"))
        try world.snapshot(allowsShrinking: true)
        return (world, first.header.id)
    }

    private func spoil(_ world: World, _ damage: String) throws {
        let packument = world.online.appending("foo/package.json")
        switch damage {
        case "packument cut": try world.files.write(Array("{\"name\":\"foo\",".utf8), to: packument)
        case "packument empty": try world.files.write([], to: packument)
        case "packument a folder":
            try world.files.removeTree(packument)
            try world.files.createDirectories(packument)
        default: try world.files.write(Array("flipped".utf8), to: world.online.appending("foo/foo-1.1.0.tgz"))
        }
    }

    /// What a bundle from a snapshot to the newest says was removed.
    private func removed(_ world: World, since baseline: SnapshotID) throws -> Int {
        try BundleTail(of: ArchiveSource(volumes: [world.bundle(from: baseline)])).descriptor.counts.removed
    }

    @Test(arguments: ["packument cut", "packument empty", "packument a folder", "tarball flipped"])
    func `a bundle does not list as removed what is damaged`(damage: String) throws {
        let (world, first) = try damaged(damage)
        #expect(try removed(world, since: first) == 2)
        // Still so a snapshot later, and until the files are gone.
        try world.put("baz", ["1.0.0": "baz"])
        try world.snapshot()
        #expect(try removed(world, since: first) == 2)
        try world.files.removeTree(world.online.appending("foo"))
        try world.snapshot(allowsShrinking: true)
        #expect(try removed(world, since: first) == 5)
    }

    @Test func `a snapshot names what it withholds, as long as it does`() throws {
        let (world, _) = try damaged("tarball flipped")
        let tarball = world.online.appending("foo/foo-1.1.0.tgz")
        let again = try world.snapshot()
        #expect(!again.isNew && again.withheld.map(\.description) == ["foo/foo-1.1.0.tgz"])
        // It leaves the storage: nothing else changes, and yet there is something to tell.
        _ = try world.files.remove(tarball)
        let after = try world.snapshot()
        #expect(after.isNew && after.withheld == [] && after.header.stateRoot == again.header.stateRoot)
        #expect(try removed(world, since: again.header.id) == 0)
    }

    @Test func `an importer keeps what it has of what is withheld`() throws {
        let world = try World()
        for name in ["foo", "bar"] { try world.put(name, ["1.0.0": "\(name) one", "1.1.0": "\(name) two"]) }
        let first = try world.snapshot()
        try world.run(world.bundle())
        let before = try world.contents()
        try spoil(world, "tarball flipped")
        try world.files.write([], to: world.online.appending("bar/package.json"))
        try world.put("baz", ["1.0.0": "baz one"])
        try world.snapshot(allowsShrinking: true)
        try world.run(world.bundle(from: first.header.id))
        #expect(try world.contents().keys.filter { !$0.hasPrefix("baz") }.sorted() == before.keys.sorted())
        #expect(try world.packument("foo")["versions"]?.object?.members.map(\.name).sorted() == ["1.0.0", "1.1.0"])
        #expect(try world.packument("bar")["versions"]?.object?.members.count == 2)
        try world.expectServable()
    }

    @Test func `what is whole again is not withheld`() throws {
        let (world, first) = try damaged("tarball flipped")
        try world.put("foo", ["1.0.0": "foo one", "1.1.0": "foo two"])
        #expect(try world.snapshot().withheld == [])
        #expect(try removed(world, since: first) == 2)
    }

    @Test func `where nobody knows which of two places is served, nothing counts as gone`() throws {
        let world = try World()
        for name in ["foo", "bar"] { try world.put(name, ["1.0.0": "\(name) one"]) }
        let first = try world.snapshot()
        try world.put("foo", ["1.0.0": "foo one"], in: world.online.appending("elsewhere"))
        try world.files.removeTree(world.online.appending("bar"))
        try world.put("baz", ["1.0.0": "baz one"])
        #expect(try world.snapshot(allowsShrinking: true).withheld.count == 4)
        #expect(try removed(world, since: first.header.id) == 0)
    }
}
