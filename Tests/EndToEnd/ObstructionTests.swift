import Activation
import CanonicalJSON
import ImportPipeline
import PackageStore
import Platform
import Rollbacks
import Snapshots
import SystemPackage
import Testing

/// What stands in the place of a tarball and is not it: nothing takes it for the tarball, and only its package is kept back.
@Suite struct ObstructionTests {
    /// A destination that holds two versions of `foo`, one of `bar` and others, and a bundle after which `foo` 2.0.0 and `bar` are gone.
    private func prepared() throws -> (World, next: FilePath) {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"])
        try world.put("bar", ["1.0.0": "bar one"])
        try world.put("other", ["1.0.0": "other"])
        let first = try world.snapshot().header.id
        try world.run(world.bundle())
        try world.files.removeTree(world.online.appending("bar"))
        try world.files.removeTree(world.online.appending("foo"))
        try world.put("foo", ["1.0.0": "foo one"])
        try world.snapshot(allowsShrinking: true)
        return (world, try world.bundle(from: first))
    }

    private func versions(_ world: World) throws -> Set<String> {
        try Set((world.packument("foo")["versions"]?.object?.members ?? []).map(\.name))
    }

    private var deleting: ImportPipeline.Options {
        var options = ImportPipeline.Options.oneAtATime
        options.removed = .delete
        return options
    }

    @Test(arguments: [false, true])
    func `a tarball comes back to no place that is taken, and nothing is lost of it meanwhile`(isDirectory: Bool) throws {
        let (world, next) = try prepared()
        try world.run(next, deleting)
        #expect(try versions(world) == ["1.0.0"])
        let place = world.isolated.appending("foo/foo-2.0.0.tgz")
        if isDirectory { _ = try world.files.createDirectory(place) } else { try world.files.write(Array("a stranger's".utf8), to: place) }
        #expect(try world.rollback().plan(2).refusals.count == 1)
        #expect { try world.rollBack(2, acceptsLosses: true) } throws: { error in
            let other = "has other bytes than the tarball that is to come back"
            let words = isDirectory ? "is a directory, and a tarball belongs there" : other
            return "\(error)".contains("foo: \"\(place)\" \(words); the package stays as it was")
        }
        #expect(try versions(world) == ["1.0.0"])
        #expect(try world.files.status(of: world.isolated.appending("bar/bar-1.0.0.tgz")) != nil)
        if !isDirectory { try world.expectServable() }
        try world.files.removeTree(place)
        try world.rollBack(2)
        #expect(try versions(world) == ["1.0.0", "2.0.0"])
        try world.expectServable()
    }

    @Test func `a version whose tarball's place is taken is not taken away, and the rest is`() throws {
        let (world, next) = try prepared()
        let place = world.isolated.appending("foo/foo-2.0.0.tgz")
        let bytes = try #require(try world.files.contents(of: place, limit: 100))
        try world.files.removeTree(place)
        _ = try world.files.createDirectory(place)
        let report = try world.run(next, deleting)
        #expect(report.taken.map(\.description) == ["bar/bar-1.0.0.tgz"])
        let words = "\(Obstruction(place, .directory)); the package stays as it was: move that away, then import again"
        #expect(report.refusals == ["foo: \(words)"])
        #expect(try versions(world) == ["1.0.0", "2.0.0"])
        try world.files.removeTree(place)
        try world.files.write(bytes, to: place)
        #expect(try world.run(next, deleting).taken.map(\.description) == ["foo/foo-2.0.0.tgz"])
        #expect(try versions(world) == ["1.0.0"])
    }
}
