import BundleFormat
import Foundation
import Integrity
import MediaLayout
import Platform
import Snapshots
import SystemPackage
import Testing

/// What is listed on a medium is whole, wherever an export stops.
@Suite struct ExportTests {
    private func archive(_ world: World, _ name: String, _ content: String) throws -> ArchiveSource {
        try world.put(name, ["1.0.0": content])
        try world.snapshot()
        return try ArchiveSource(volumes: [world.bundle()])
    }

    /// Hexadecimal noise, which does not shrink below one chunk.
    private var noise: String { (0..<81_920).map { SHA512.digest(of: Array("\($0)".utf8)).hex }.joined() }

    private func bytes(of archive: ArchiveSource) throws -> [UInt8] { try archive.read(Int(archive.length), at: 0) }

    private func bundles(_ world: World) throws -> [String] {
        try (world.files.names(in: world.medium.folder.appending("bundles")) ?? []).sorted()
    }

    @Test(arguments: [true, false])
    func `an export that stops at any step leaves what was listed, and is made up for by the next`(isKilled: Bool) throws {
        let world = try World()
        let first = try archive(world, "foo", "foo one")
        let second = try archive(world, "bar", "bar one")
        let entry = try MediumWriter(medium: world.medium).export(first, volumeSize: nil)
        let before = try world.contents(of: world.medium.directory(of: entry.descriptor.bundle))
        var steps = 0
        while true {
            steps += 1
            let faulty = CrashingFileSystem(stepsUntilCrash: steps, isLasting: isKilled)
            do {
                _ = try MediumWriter(medium: world.medium, files: faulty).export(second, volumeSize: nil)
                break
            } catch is MediumTrouble {
                #expect(try world.medium.entries() == [entry])
                #expect(try world.contents(of: world.medium.directory(of: entry.descriptor.bundle)) == before)
                // A killed export leaves its rest to the next one; any other clears up behind itself.
                if !isKilled { #expect(try bundles(world) == [entry.descriptor.bundle]) }
            }
            try #require(steps < 100)
        }
        #expect(steps > 10)
        #expect(try bundles(world) == world.medium.entries()?.map(\.descriptor.bundle).sorted())
        #expect(try bundles(world).count == 2)
    }

    @Test func `a first export that fails at any step leaves no bundle`() throws {
        let world = try World()
        let archive = try archive(world, "foo", "foo one")
        var steps = 0
        while true {
            steps += 1
            let faulty = CrashingFileSystem(stepsUntilCrash: steps, isLasting: false)
            do {
                _ = try MediumWriter(medium: world.medium, files: faulty).export(archive, volumeSize: nil)
                break
            } catch is MediumTrouble {
                #expect(try bundles(world) == [] && world.medium.entries() == nil)
            }
            try #require(steps < 100)
        }
    }

    @Test(arguments: [Errno.noSpace, .ioError, .readOnlyFileSystem])
    func `whatever the kernel refuses, and wherever, what was listed stays whole and the message says what became of the medium`(
        errno: Errno
    ) throws {
        let world = try World()
        let first = try archive(world, "foo", "foo one")
        let second = try archive(world, "bar", "bar one")
        let entry = try MediumWriter(medium: world.medium).export(first, volumeSize: nil)
        let before = try world.contents(of: world.medium.directory(of: entry.descriptor.bundle))
        let medium = Medium(root: world.medium.root, label: "STICK")
        var steps = 0
        while true {
            steps += 1
            let faulty = CrashingFileSystem(stepsUntilCrash: steps, errno: errno, countsSyncs: true)
            do {
                _ = try MediumWriter(medium: medium, files: faulty).export(second, volumeSize: nil)
                break
            } catch let trouble as MediumTrouble {
                switch (trouble, errno) {
                case (.full(medium, let needed, let free), .noSpace): #expect(needed == second.length && free > 0)
                case (.failing(medium, let error), .ioError): #expect(error.errno == errno)
                case (.readOnly(medium), .readOnlyFileSystem): break
                default: Issue.record("\(trouble)")
                }
                #expect("\(trouble)".hasPrefix("the medium \"STICK\" at \"\(medium.root)\" "))
                let listed = try #require(try world.medium.entries())
                #expect(listed.first == entry && listed.count <= 2)
                // Where it is listed, though the last sync failed, it is whole.
                if listed.count == 2 { #expect(try bytes(of: world.medium.archive(of: listed[1])) == bytes(of: second)) }
                #expect(try world.contents(of: world.medium.directory(of: entry.descriptor.bundle)) == before)
                if listed.count == 2 { break }
            }
            try #require(steps < 100)
        }
        #expect(steps > 15)
        #expect(try MediumWriter(medium: medium).export(second, volumeSize: nil).volumes.count == 1)
    }

    @Test func `an export goes on where a killed one stopped, whatever that left`() throws {
        let world = try World()
        let archive = try archive(world, "noise", noise)
        let chunks = VolumeCut.chunks(of: archive.length)
        try #require(chunks > 1)
        /// How many pieces an export has written.
        func pieces(_ damage: (FilePath) throws -> Void = { _ in }) throws -> Int {
            try world.files.removeTree(world.medium.root.appending("ferry"))
            let dying = CountingFileSystem(piecesUntilCrash: 1)
            #expect(throws: MediumTrouble.self) { try MediumWriter(medium: world.medium, files: dying).export(archive, volumeSize: nil) }
            let name = try #require(try bundles(world).first)
            let draft: FilePath = world.medium.folder.appending("bundles").appending(name)
            try damage(draft)
            let files = CountingFileSystem()
            let entry = try MediumWriter(medium: world.medium, files: files).export(archive, volumeSize: nil)
            #expect(try bytes(of: world.medium.archive(of: entry)) == bytes(of: archive))
            #expect(try bundles(world) == [entry.descriptor.bundle])
            #expect(try world.files.names(in: world.medium.directory(of: entry.descriptor.bundle))?.contains("stranger") == false)
            return files.pieces
        }
        #expect(try pieces() == chunks - 1)
        func copy(in draft: FilePath) throws -> FilePath {
            draft.appending(try #require(try world.files.names(in: draft)?.first { $0.hasPrefix("diff-") }))
        }
        // The first chunk was torn, or is another one; it is a link, or a folder.
        #expect(try pieces { try world.files.truncate(copy(in: $0), to: 1 << 20) } == chunks)
        #expect(
            try pieces { draft in
                var bytes = try #require(try world.files.contents(of: copy(in: draft), limit: 1 << 26))
                bytes[5] ^= 1
                try world.files.write(bytes, to: copy(in: draft))
            } == chunks)
        #expect(
            try pieces { draft in
                let path = try copy(in: draft)
                try world.files.removeTree(path)
                try FileManager.default.createSymbolicLink(atPath: path.string, withDestinationPath: "/etc/hostname")
            } == chunks)
        #expect(
            try pieces { draft in
                try world.files.write([1], to: draft.appending("stranger"))
                try world.files.removeTree(copy(in: draft))
                try world.files.createDirectories(draft.appending("\(BundleTail(of: archive).descriptor.label).tar.zst").appending("x"))
            } == chunks)
    }

    @Test(arguments: [true, false])
    func `another cut that stops at any step leaves nothing listed that is not whole`(isKilled: Bool) throws {
        let world = try World()
        let archive = try archive(world, "noise", noise)
        let whole = try bytes(of: archive)
        var steps = 0
        while true {
            _ = try MediumWriter(medium: world.medium).export(archive, volumeSize: 8 << 20)
            steps += 1
            let faulty = CrashingFileSystem(stepsUntilCrash: steps, isLasting: isKilled)
            do {
                _ = try MediumWriter(medium: world.medium, files: faulty).export(archive, volumeSize: 4 << 20)
                break
            } catch is MediumTrouble {
                for entry in try world.medium.entries() ?? [] { #expect(try bytes(of: world.medium.archive(of: entry)) == whole) }
            }
            try #require(steps < 100)
        }
        #expect(try bytes(of: world.medium.archive(of: #require(try world.medium.entries()?.first))) == whole)
        #expect(try bundles(world) == world.medium.entries()?.map(\.descriptor.bundle))
    }

    @Test func `a copy is replaced only by one that was read back`() throws {
        let world = try World()
        let archive = try archive(world, "noise", noise)
        let entry = try MediumWriter(medium: world.medium).export(archive, volumeSize: nil)
        let before = try world.contents(of: world.medium.root)
        // The device loses the second volume's last byte once it is written.
        let folder = world.medium.folder.appending("bundles").string
        let fake = MediumWriter(medium: world.medium) { phase, _, _ in
            guard phase == .readingBack, let folders = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return }
            for name in folders {
                let path = "\(folder)/\(name)/\(entry.descriptor.label).tar.zst.002"
                guard let file = FileHandle(forWritingAtPath: path), let end = try? file.seekToEnd() else { continue }
                try? file.truncate(atOffset: end - 1)
            }
        }
        #expect { try fake.export(archive, volumeSize: 4 << 20) } throws: { error in
            if case .readBackDiffers? = error as? MediumWriter.Refusal { true } else { false }
        }
        #expect(try world.contents(of: world.medium.root) == before)
    }

    @Test(arguments: ["longer paper", "folder for a paper", "folder for the archive", "link for the bundle", "another entry"])
    func `a copy that cannot even be read as one is written anew`(damage: String) throws {
        let world = try World()
        let archive = try archive(world, "foo", "foo one")
        let writer = MediumWriter(medium: world.medium)
        let entry = try writer.export(archive, volumeSize: nil)
        let before = try world.contents(of: world.medium.root)
        let folder = world.medium.directory(of: entry.descriptor.bundle)
        func replace(_ name: String) throws {
            try world.files.removeTree(folder.appending(name))
            try world.files.createDirectories(folder.appending(name))
        }
        switch damage {
        case "longer paper":
            let path = folder.appending("descriptor.json")
            try world.files.write(try #require(try world.files.contents(of: path, limit: 1 << 20)) + [0x20], to: path)
        case "folder for a paper": try replace("SHA512SUMS")
        case "folder for the archive": try replace(entry.volumes[0].name)
        case "link for the bundle":
            let elsewhere = world.root.appending("elsewhere")
            try world.files.rename(folder, to: elsewhere)
            try FileManager.default.createSymbolicLink(atPath: folder.string, withDestinationPath: elsewhere.string)
        default:
            let index = world.medium.folder.appending("index.json")
            let text = String(decoding: try #require(try world.files.contents(of: index, limit: 1 << 20)), as: UTF8.self)
            try world.files.write(Array(text.replacing("\"sequence\":1", with: "\"sequence\":7").utf8), to: index)
        }
        #expect(try writer.export(archive, volumeSize: nil) == entry)
        #expect(try world.files.status(of: folder)?.kind == .directory)
        #expect(try world.contents(of: world.medium.root) == before)
    }
}
