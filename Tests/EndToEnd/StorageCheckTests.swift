import ImportLedger
import Inspection
import PackageStore
import Platform
import SystemPackage
import Testing

/// The storage is compared with what the ledger says it should hold, and each damage is named.
@Suite struct StorageCheckTests {
    private func imported() throws -> World {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one", "1.1.0": "foo two"])
        try world.put("@scope/bar", ["1.0.0": "bar one"])
        try world.snapshot()
        try world.run(world.bundle())
        try world.put("inside", ["1.0.0": "published here"], in: world.isolated)
        return world
    }

    private func issues(_ world: World, readsAll: Bool = true) throws -> [String] {
        let check = StorageCheck(layout: StorageLayout(root: world.isolated), ledger: world.ledger, readsAll: readsAll)
        return try check.run().issues.map { "\($0.code.rawValue) \($0.subject) \($0.importID.map(String.init) ?? "-")" }
    }

    @Test func `what is as it was given, or published here, is no issue, and nothing is changed`() throws {
        let world = try imported()
        let before = try world.contents()
        #expect(try issues(world) == [] && issues(world, readsAll: false) == [])
        #expect(try world.contents() == before)
    }

    @Test(
        arguments: [
            ("foo/foo-1.0.0.tgz", "fOO one", "damaged foo/foo-1.0.0.tgz 1", false),
            ("foo/foo-1.0.0.tgz", "longer now", "damaged foo/foo-1.0.0.tgz 1", true),
            ("foo/foo-1.0.0.tgz", "", "damaged foo/foo-1.0.0.tgz 1", true), ("foo/foo-1.0.0.tgz", nil, "missing foo/foo-1.0.0.tgz 1", true),
            ("@scope/bar/package.json", "{", "packument-damaged @scope/bar/package.json 1", true),
            ("@scope/bar/package.json", nil, "packument-missing @scope/bar 1", true),
            ("inside/inside-1.0.0.tgz", "Published here", "damaged inside/inside-1.0.0.tgz -", false),
            ("inside/inside-1.0.0.tgz", nil, "missing inside/inside-1.0.0.tgz -", true),
        ] as [(String, String?, String, Bool)])
    func `damage is found and named with the import it came with`(path: String, content: String?, expected: String, isQuick: Bool) throws {
        let world = try imported()
        let place = world.isolated.appending(path)
        if let content { try world.files.write(Array(content.utf8), to: place) } else { _ = try world.files.remove(place) }
        #expect(try issues(world) == [expected])
        #expect(try issues(world, readsAll: false) == (isQuick ? [expected] : []))
    }

    @Test func `what was removed here is told, and is no damage`() throws {
        let world = try imported()
        try world.unpublish("foo", "1.1.0")
        try world.files.removeTree(world.isolated.appending("@scope/bar"))
        let check = try StorageCheck(layout: StorageLayout(root: world.isolated), ledger: world.ledger, readsAll: true).run()
        #expect(check.issues.map(\.code) == [.removedHere, .removedHere] && !check.isDamaged)
    }

    @Test func `damage is healed by the same bundle, and what was rolled back is not missed`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        try world.snapshot()
        let bundle = try world.bundle()
        try world.run(bundle)
        try world.files.write(Array("rotten!".utf8), to: world.isolated.appending("foo/foo-1.0.0.tgz"))
        #expect(try issues(world).count == 1)
        try world.run(bundle)
        #expect(try issues(world) == [])
        try world.rollBack(1, acceptsLosses: true)
        #expect(try issues(world) == [])
    }
}
