import Activation
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

/// A registry that creates a package while it comes, and replaces its packument.
@Suite struct CreatedMeanwhileTests {
    /// A package that an import has put in quarantine, as a whole.
    private func quarantined() throws -> World {
        let world = try World()
        for name in ["foo", "bar"] { try world.put(name, ["1.0.0": "\(name) one", "2.0.0": "\(name) two"]) }
        let first = try world.snapshot().header.id
        try world.run(world.bundle())
        try world.files.removeTree(world.online.appending("foo"))
        try world.snapshot(allowsShrinking: true)
        var options = ImportPipeline.Options()
        options.removed = .quarantine
        try world.run(world.bundle(from: first), options)
        #expect(try world.files.status(of: world.isolated.appending("foo")) == nil)
        return world
    }

    private func expectFoo(_ world: World) throws {
        let versions = try world.packument("foo")["versions"]?.object
        #expect(versions?["1.0.0"] != nil && versions?["2.0.0"] != nil)
        try world.expectServable()
    }

    @Test func `what is released is named before the quarantine forgets it`() throws {
        let world = try quarantined()
        let keeper = QuarantineKeeper(
            layout: StorageLayout(root: world.isolated), state: world.root.appending("offline-state"), ledger: world.ledger,
            files: CreatingFileSystem())
        _ = try keeper.release(#require(PackageName("foo")), nil, operatorName: "tester")
        try expectFoo(world)
        #expect(try keeper.list().isEmpty)
    }

    @Test func `what a rollback brings back is named before its generation goes`() throws {
        let world = try quarantined()
        try world.rollBack(2, files: CreatingFileSystem())
        try expectFoo(world)
    }

    @Test func `an import says that what it brought is not named any more, and the same import completes it`() throws {
        let world = try World()
        for name in ["foo", "bar"] { try world.put(name, ["1.0.0": "\(name) one", "2.0.0": "\(name) two"]) }
        try world.snapshot()
        let bundle = try world.bundle()
        let pipeline = ImportPipeline(
            layout: StorageLayout(root: world.isolated), state: world.root.appending("offline-state"), ledger: world.ledger,
            trust: world.trust, destination: world.destination, options: .oneAtATime, files: CreatingFileSystem())
        #expect(throws: ImportPipeline.Overwritten.self) {
            try pipeline.run(ArchiveSource(volumes: [bundle]), operatorName: "tester", sourceName: "test")
        }
        try world.pipeline().recover()
        #expect(try world.run(bundle).result == .applied)
        try expectFoo(world)
        #expect(try world.ledger.openImport() == nil)
    }
}
