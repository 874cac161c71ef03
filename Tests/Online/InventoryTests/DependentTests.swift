import CanonicalJSON
import Catalog
import PackageStore
import Platform
import SystemPackage
import Testing

/// Who needs a package.
@Suite struct DependentTests {
    private func dependents(of name: String, in world: StorageWorld, offset: Int = 0, limit: Int = 50) throws -> [String] {
        let name = try #require(PackageName(name))
        let page = try world.catalog.dependents(of: name, offset: offset, limit: limit)
        return page.elements.map { "\($0.name) \($0.kind) \($0.range)" }
    }

    @Test func `those whose newest version needs a package are its dependents, each once`() throws {
        let world = try StorageWorld()
        try world.put("foo", ["1.0.0"])
        try world.put("plain", ["1.1.0", "1.0.0"], needs: ["1.1.0": ["dependencies": ["foo": "^1.0.0"]]])
        try world.put("former", ["2.0.0", "1.0.0"], needs: ["1.0.0": ["dependencies": ["foo": "^1.0.0"]]])
        try world.put("@corp/peer", ["1.0.0"], needs: ["1.0.0": ["peerDependencies": ["foo": "*"]]])
        let both: JSONValue = ["dependencies": ["foo": "1"], "optionalDependencies": ["foo": "1"], "peerDependencies": ["foo": ">=1"]]
        try world.put("Both", ["1.0.0"], needs: ["1.0.0": both])
        try world.scan()
        #expect(try dependents(of: "foo", in: world) == ["@corp/peer peer *", "Both optional 1", "plain regular ^1.0.0"])
        #expect(try dependents(of: "foo", in: world, offset: 1, limit: 1) == ["Both optional 1"])
        #expect(try world.catalog.dependents(of: #require(PackageName("foo")), offset: 2, limit: 0).total == 3)
        #expect(try dependents(of: "plain", in: world).isEmpty)
    }

    @Test func `an alias is a need of what it stands for, and what is no package of a registry is none`() throws {
        let world = try StorageWorld()
        let list: JSONValue = [
            "old-foo": "npm:foo@^1.0.0", "scoped": "npm:@corp/bar@~2", "bare": "npm:baz", "git": "git+https://host/x", "..": "1",
        ]
        try world.put("user", ["1.0.0"], needs: ["1.0.0": ["dependencies": list]])
        try world.scan()
        #expect(try dependents(of: "foo", in: world) == ["user regular ^1.0.0"])
        #expect(try dependents(of: "@corp/bar", in: world) == ["user regular ~2"])
        #expect(try dependents(of: "baz", in: world) == ["user regular "])
        #expect(try dependents(of: "old-foo", in: world).isEmpty)
    }

    @Test func `a dependent that needs it no more, or has left, is none`() throws {
        let world = try StorageWorld()
        for name in ["one", "two"] { try world.put(name, ["1.0.0"], needs: ["1.0.0": ["dependencies": ["foo": "1"]]]) }
        try world.scan()
        #expect(try dependents(of: "foo", in: world) == ["one regular 1", "two regular 1"])
        try world.put("one", ["1.0.1", "1.0.0"])
        try world.files.rename(world.storage.appending("two"), to: world.root.appending("aside"))
        try world.scan()
        #expect(try dependents(of: "foo", in: world).isEmpty)
    }
}
