import BundleFormat
import Foundation
import Integrity
import LoopMedia
import MediaLayout
import Platform
import Snapshots
import Synchronization
import SystemPackage
import Testing

/// What goes from a medium when room is short, and what stays whatever happens.
@Suite struct RoomTests {
    /// Archives of so many packages, each a full bundle of the state after it.
    private func archives(_ world: World, bytes: [Int]) throws -> [(bundle: String, archive: ArchiveSource)] {
        try bytes.enumerated().map { number, bytes in
            // Hexadecimal noise, which does not shrink below a chunk.
            let noise = (0..<bytes / 128).map { SHA512.digest(of: Array("\(number) \($0)".utf8)).hex }.joined()
            try world.put("p", ["\(number).0.0": noise])
            try world.snapshot(allowsShrinking: true)
            try world.files.removeTree(world.online.appending("p"))
            try world.put("p", ["\(number).0.0": noise])
            let archive = try ArchiveSource(volumes: [world.bundle()])
            return (try BundleTail(of: archive).descriptor.bundle.text, archive)
        }
    }

    private func spent(_ world: World, _ bundles: [String]) -> SpentBundles { SpentBundles(Set(bundles), of: world.origin.text) }

    @Test(.enabled(if: LoopMedium.isAllowed, "mounting is not allowed here: no medium is short of room"))
    func `where room is short the oldest spent bundles go, as many as it takes, and none in vain`() throws {
        let world = try World()
        let made = try archives(world, bytes: [7 << 19, 7 << 19, 1000, 7 << 19, 16 << 20])
        let stick = try LoopMedium(label: "TIGHT", megabytes: 13)
        try stick.mount()
        let medium = Medium(mountedAt: FilePath(stick.point))
        for (_, archive) in made.prefix(3) { _ = try MediumWriter(medium: medium).export(archive, volumeSize: nil) }
        func ids() throws -> [String] { try (medium.entries() ?? []).map(\.descriptor.bundle) }
        let before = try world.contents(of: medium.folder.appending("bundles"))
        let told = Mutex<[String]>([])
        func writer(_ spent: SpentBundles) -> MediumWriter {
            MediumWriter(medium: medium, spent: spent, removal: { bundle, bytes in told.withLock { $0.append("\(bundle) \(bytes)") } })
        }
        // Room is short, and nothing may go, or not enough.
        for spent in [
            SpentBundles.none, spent(world, [made[2].bundle]), SpentBundles(Set(made.map(\.bundle)), of: "o-00000000000000000000"),
        ] {
            #expect(throws: MediumTrouble.self) { try writer(spent).export(made[3].archive, volumeSize: nil) }
        }
        #expect(throws: MediumTrouble.self) { try writer(self.spent(world, made.map(\.bundle))).export(made[4].archive, volumeSize: nil) }
        #expect(try world.contents(of: medium.folder.appending("bundles")) == before)
        #expect(told.withLock { $0.isEmpty })
        // What stands there already needs none.
        _ = try writer(spent(world, made.map(\.bundle))).export(made[1].archive, volumeSize: nil)
        #expect(told.withLock { $0.isEmpty })

        _ = try writer(spent(world, made.map(\.bundle))).export(made[3].archive, volumeSize: nil)
        #expect(told.withLock { $0 } == ["\(made[0].bundle) \(made[0].archive.length)"])
        #expect(try ids() == [made[1].bundle, made[2].bundle, made[3].bundle])
        #expect(try world.files.names(in: medium.folder.appending("bundles")) == ids().sorted())
        for (bundle, archive) in made[1...3] {
            let entry = try #require(try medium.entries()?.first { $0.descriptor.bundle == bundle })
            let copy = try medium.archive(of: entry)
            #expect(try copy.read(Int(copy.length), at: 0) == archive.read(Int(archive.length), at: 0))
        }
    }

    @Test(.enabled(if: LoopMedium.isAllowed, "mounting is not allowed here: no medium is short of room"))
    func `for volumes of a spread bundle spent bundles go, too, as far as that lets another volume in`() throws {
        let world = try World()
        let made = try archives(world, bytes: [4 << 20, 16 << 20])
        let stick = try LoopMedium(label: "TIGHT", megabytes: 13)
        try stick.mount()
        let medium = Medium(mountedAt: FilePath(stick.point))
        _ = try MediumWriter(medium: medium).export(made[0].archive, volumeSize: nil)
        let (archive, spent) = (made[1].archive, spent(world, [made[0].bundle, made[1].bundle]))
        let wanted = Array(1...(try VolumeCut(BundleTail(of: archive).descriptor.label, length: archive.length, volumeSize: 4 << 20).count))
        let without = try MediumWriter(medium: medium).exportPart(archive, volumeSize: 4 << 20, wanted: wanted)
        #expect(without.numbers == [1])
        #expect(try medium.entries()?.count == 1)
        let with = try MediumWriter(medium: medium, spent: spent).exportPart(archive, volumeSize: 4 << 20, wanted: wanted)
        #expect(with.numbers == [1, 2])
        #expect(try medium.entries() == [])
        #expect(try medium.parts() == [with])
    }

    @Test(.enabled(if: LoopMedium.isAllowed, "mounting is not allowed here: no medium is short of files"), arguments: [false, true])
    func `where a medium can hold no more files spent bundles go, and none in vain`(isSpread: Bool) throws {
        let world = try World()
        let made = try archives(world, bytes: [1000, 1000, 9 << 20])
        let stick = try LoopMedium(label: "FEW", megabytes: 24, files: 48)
        try stick.mount()
        let medium = Medium(mountedAt: FilePath(stick.point))
        for (_, archive) in made.prefix(2) { _ = try MediumWriter(medium: medium).export(archive, volumeSize: nil) }
        let filler = medium.root.appending("filler")
        try world.files.createDirectories(filler)
        while try FileSystemSpace(holding: medium.root).freeFiles ?? 0 > 0 {
            try world.files.write([], to: filler.appending("\(UUID().uuidString)"))
        }
        func export(_ spent: [String]) throws {
            let writer = MediumWriter(medium: medium, spent: self.spent(world, spent))
            if isSpread {
                _ = try writer.exportPart(made[2].archive, volumeSize: 4 << 20, wanted: [1, 2])
            } else {
                _ = try writer.export(made[2].archive, volumeSize: nil)
            }
        }
        // One of them alone holds a file too few: what the list is replaced by comes beside what a copy takes.
        for spent in [[], [made[0].bundle]] {
            #expect(throws: MediumTrouble.fullOfFiles(medium)) { try export(spent) }
            #expect(try medium.entries()?.map(\.descriptor.bundle) == made.prefix(2).map(\.bundle))
        }
        try export(made.prefix(2).map(\.bundle))
        let listed = try (medium.entries() ?? []).map(\.descriptor.bundle) + medium.parts().map(\.descriptor.bundle)
        #expect(listed == [made[2].bundle])
        #expect(try world.files.status(of: medium.folder.appending("README.txt")) != nil)
    }

    @Test func `a removal that is cut short leaves a true index, and the next one ends it`() throws {
        let world = try World()
        let made = try archives(world, bytes: [1000, 1000, 1000])
        let source = world.root.appending("source")
        try world.files.createDirectories(source)
        for (_, archive) in made { _ = try MediumWriter(medium: Medium(root: source)).export(archive, volumeSize: nil) }
        let spent = spent(world, [made[0].bundle, made[2].bundle])
        var steps = 0
        var isOver = false
        while !isOver {
            let medium = Medium(root: world.root.appending("medium-\(steps)"))
            try copy(source, to: medium.root, world)
            do {
                let files = CrashingFileSystem(stepsUntilCrash: steps, countsSyncs: true)
                _ = try MediumWriter(medium: medium, files: files, spent: spent).clean(.spent)
                isOver = true
            } catch is MediumTrouble {}
            for entry in try #require(try medium.entries()) {
                let archive = try medium.archive(of: entry)
                #expect(try SHA512.digest(of: archive.read(Int(archive.length), at: 0)) == entry.volumes[0].digest, "after \(steps)")
            }
            _ = try MediumWriter(medium: medium, spent: spent).clean(.spent)
            #expect(try medium.entries()?.map(\.descriptor.bundle) == [made[1].bundle])
            #expect(try world.files.names(in: medium.folder.appending("bundles")) == [made[1].bundle], "after \(steps)")
            try world.files.removeTree(medium.root)
            steps += 1
        }
        #expect(steps > 10)
    }

    @Test func `a link on a medium leads no removal out of it`() throws {
        let world = try World()
        let made = try archives(world, bytes: [1000])
        let bundle = made[0].bundle
        let writer = MediumWriter(medium: world.medium, spent: spent(world, [bundle]))
        for isWholeFolder in [true, false] {
            _ = try writer.export(made[0].archive, volumeSize: nil)
            let elsewhere = world.root.appending("elsewhere")
            let precious = isWholeFolder ? elsewhere.appending(bundle) : elsewhere
            try world.files.createDirectories(precious)
            try world.files.write([1], to: precious.appending("part.json"))
            let link = isWholeFolder ? world.medium.partsFolder : world.medium.partDirectory(of: bundle)
            try world.files.createDirectories(link.removingLastComponent())
            try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: elsewhere.string)
            #expect(try writer.clean(.named([bundle])).map(\.bundle) == [bundle])
            #expect(try world.files.names(in: precious) == ["part.json"], "\(isWholeFolder)")
            #expect(try world.medium.entries() == [])
            try world.files.removeTree(link)
            try world.files.removeTree(elsewhere)
        }
    }

    private func copy(_ directory: FilePath, to target: FilePath, _ world: World) throws {
        try world.files.createDirectories(target)
        for name in try world.files.names(in: directory) ?? [] {
            let path = directory.appending(name)
            if try world.files.status(of: path)?.kind == .directory {
                try copy(path, to: target.appending(name), world)
            } else {
                try world.files.write(try world.files.contents(of: path, limit: 1 << 24) ?? [], to: target.appending(name))
            }
        }
    }
}
