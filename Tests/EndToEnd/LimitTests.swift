import BundleFormat
import Integrity
import PackageStore
import Platform
import Snapshots
import SystemPackage
import Testing

/// What no reader would take is not written (FORMAT.md §2).
@Suite struct LimitTests {
    @Test(arguments: ["files", "removed files", "documents", "covered bytes"])
    func `a bundle above a limit is refused before its archive is begun`(limit: String) throws {
        let world = try World()
        for name in ["foo", "bar", "baz"] { try world.put(name, ["1.0.0": "\(name) one"]) }
        let first = try world.snapshot()
        try world.files.removeTree(world.online.appending("foo"))
        try world.files.removeTree(world.online.appending("bar"))
        let second = try world.snapshot(allowsShrinking: true)
        var limits = BundleLimits()
        switch limit {
        case "files": limits.files = 1
        case "removed files": limits.files = 3
        case "documents": limits.document = 500
        default: limits.covered = 10_000
        }
        let writer = BundleWriter(layout: StorageLayout(root: world.online), store: world.snapshots, limits: limits)
        let directory = world.root.appending("bundle")
        try world.files.createDirectories(directory)
        let envelope = BundleWriter.Envelope(
            bundle: Identifier(.bundle, random: randomBytes(20)), created: WallClock.system.now(), destination: .any, sequence: 1, keys: [],
            program: "tests")
        let baseline = limit == "files" ? nil : try world.snapshots.open(first.header.id)
        let target = try #require(try world.snapshots.open(second.header.id))
        #expect { try writer.write(from: baseline, to: target, into: directory, envelope: envelope) } throws: { error in
            (error as? BundleError)?.code == .tooLarge
        }
        #expect(try world.files.names(in: directory) == [".work"])
    }

    @Test func `a snapshot above its limit is refused, and nothing is left of it`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one", "1.1.0": "foo two"])
        var options = SnapshotBuilder.Options()
        options.fileLimit = 2
        let builder = SnapshotBuilder(
            layout: StorageLayout(root: world.online), records: world.catalog, store: world.snapshots, origin: world.origin)
        #expect(throws: SnapshotBuilder.TooLarge.self) { try builder.take(options) }
        #expect(try world.files.names(in: world.snapshots.directory) == ["objects"])
        options.fileLimit = 3
        #expect(try builder.take(options).header.counts.files == 3)
    }
}
