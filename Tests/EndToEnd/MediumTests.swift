import BundleFormat
import Foundation
import ImportPipeline
import Integrity
import MediaLayout
import Platform
import Snapshots
import SystemPackage
import Testing

/// What an export leaves on a medium, whatever was there and whatever else happens.
@Suite struct MediumTests {
    private func archive(_ world: World) throws -> ArchiveSource {
        try world.put("foo", ["1.0.0": "foo one"])
        // Hexadecimal noise, which does not shrink below one chunk.
        let noise = (0..<81_920).map { SHA512.digest(of: Array("\($0)".utf8)).hex }.joined()
        try world.put("noise", ["1.0.0": noise])
        try world.snapshot()
        return try ArchiveSource(volumes: [world.bundle()])
    }

    private func folder(_ world: World) throws -> FilePath {
        world.medium.directory(of: try #require(try world.medium.entries()?.first).descriptor.bundle)
    }

    @Test func `what killed exports left is cleared, and does not count as taken`() throws {
        let world = try World()
        let archive = try archive(world)
        let bundle = try BundleTail(of: archive).descriptor.bundle.text
        let bundles = world.medium.folder.appending("bundles")
        for name in [".b-00000000000000000000.draft", ".\(bundle).draft", bundle, "b-11111111111111111111"] {
            try world.files.createDirectories(bundles.appending(name))
            try world.files.write([1], to: bundles.appending(name).appending("rest"))
        }
        _ = try MediumWriter(medium: world.medium).export(archive, volumeSize: nil)
        // A whole bundle whose listing was lost may be somebody's; it stays.
        #expect(try world.files.names(in: bundles) == ["b-11111111111111111111", bundle].sorted())
        #expect(try world.files.names(in: bundles.appending(bundle))?.contains("rest") == false)
    }

    @Test(arguments: ["archive", "archive and index", "descriptor.json", "descriptor.json.minisig", "chunks.sha512", "SHA512SUMS"])
    func `a copy that is not whole is written anew`(damage: String) throws {
        let world = try World()
        let archive = try archive(world)
        let writer = MediumWriter(medium: world.medium)
        let entry = try writer.export(archive, volumeSize: nil)
        let before = try world.contents(of: world.medium.root)
        let folder = try folder(world)
        if damage.hasPrefix("archive") {
            let path = folder.appending(entry.volumes[0].name)
            var bytes = try #require(try world.files.contents(of: path, limit: 1 << 26))
            bytes[bytes.count / 2] ^= 1
            try world.files.write(bytes, to: path)
            if damage.hasSuffix("index") {
                for list in [world.medium.folder.appending("index.json"), folder.appending("SHA512SUMS")] {
                    let text = String(decoding: try #require(try world.files.contents(of: list, limit: 1 << 20)), as: UTF8.self)
                    let forged = text.replacing(entry.volumes[0].digest.hex, with: SHA512.digest(of: bytes).hex)
                    try world.files.write(Array(forged.utf8), to: list)
                }
            }
        } else {
            try world.files.removeTree(folder.appending(damage))
        }
        #expect(try writer.export(archive, volumeSize: nil) == entry)
        #expect(try world.contents(of: world.medium.root) == before)
    }

    @Test func `another cut is written when it is asked for, and only then`() throws {
        let world = try World()
        let archive = try archive(world)
        let writer = MediumWriter(medium: world.medium)
        #expect(try writer.export(archive, volumeSize: nil).volumes.count == 1)
        #expect(try writer.export(archive, volumeSize: 4 << 20).volumes.count > 1)
        #expect(try writer.export(archive, volumeSize: nil).volumes.count > 1)
        #expect(try world.medium.entries()?.count == 1)
        let joined = try world.medium.archive(of: #require(try world.medium.entries()?.first))
        #expect(try world.pipeline().run(joined, operatorName: "tester", sourceName: "medium").outcomes == ["added": 2])
    }

    @Test(arguments: ["ferry", "ferry/bundles", "ferry/receipts"])
    func `a link in place of a folder is refused, and nothing is written behind it`(path: String) throws {
        let world = try World()
        let archive = try archive(world)
        let elsewhere = world.root.appending("elsewhere")
        try world.files.createDirectories(elsewhere)
        try world.files.write(Array("precious".utf8), to: elsewhere.appending("README.txt"))
        let link = world.medium.root.appending(path)
        try world.files.createDirectories(link.removingLastComponent())
        try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: elsewhere.string)
        #expect(throws: MediumWriter.Refusal.obstructed(link)) { try MediumWriter(medium: world.medium).export(archive, volumeSize: nil) }
        #expect(try world.contents(of: elsewhere) == ["README.txt": Array("precious".utf8)])
    }

    @Test func `two exports to one medium do not meet`() throws {
        let world = try World()
        let archive = try archive(world)
        let writer = MediumWriter(medium: world.medium)
        _ = try writer.export(archive, volumeSize: nil)
        let other = try ProcessLock(directory: world.medium.folder, holder: "a test")
        #expect(throws: ProcessLock.Held.self) { try writer.export(archive, volumeSize: nil) }
        withExtendedLifetime(other) {}
    }
}
