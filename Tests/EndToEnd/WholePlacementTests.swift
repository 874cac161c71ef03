import Activation
import Integrity
import PackageStore
import Platform
import Snapshots
import Staging
import SystemPackage
import Testing

/// Bringing a whole package into a storage in one rename.
@Suite struct WholePlacementTests {
    private static let manifest = Array(#"{"name":"foo"}"#.utf8)

    private func place(_ world: World) throws -> Bool {
        let layout = StorageLayout(root: world.isolated)
        let stage = try StageArea(layout: layout, bundle: Identifier(.bundle, random: randomBytes(20)))
        let package = try #require(PackageName("foo"))
        let tarball = world.root.appending("kept.tgz")
        try world.files.write([1, 2, 3], to: tarball)
        // What a killed attempt left of the same package.
        let rest = stage.root(for: package).appending("foo")
        try world.files.createDirectories(rest)
        try world.files.write([9], to: rest.appending("foo-9.9.9.tgz"))
        let file = try #require(FileName("foo-1.0.0.tgz"))
        return try WholePlacement(layout: layout, stage: stage, files: DiskFileSystem()).place(
            package, Self.manifest, tarballs: [(file, tarball)], at: layout.directory(of: package))
    }

    @Test func `it holds what it was given, and nothing that an earlier attempt left`() throws {
        let world = try World()
        try world.files.createDirectories(world.isolated)
        #expect(try place(world))
        let directory = world.isolated.appending("foo")
        #expect(try world.files.names(in: directory) == ["foo-1.0.0.tgz", "package.json"])
        #expect(try world.files.contents(of: directory.appending("package.json"), limit: 99) == Self.manifest)
        // Where it lay before it stays.
        #expect(try world.files.contents(of: world.root.appending("kept.tgz"), limit: 9) == [1, 2, 3])
    }

    @Test(arguments: [[], ["package.json"]])
    func `what stands in its place stays as it is`(names: [String]) throws {
        let world = try World()
        let directory = world.isolated.appending("foo")
        try world.files.createDirectories(directory)
        for name in names { try world.files.write([7], to: directory.appending(name)) }
        #expect(try !place(world))
        #expect(try world.files.names(in: directory) == names)
    }
}
