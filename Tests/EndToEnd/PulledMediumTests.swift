import BundleFormat
import Foundation
import Integrity
import LoopMedia
import MediaLayout
import Mounts
import Platform
import Snapshots
import Synchronization
import SystemPackage
import Testing

/// File systems that are really mounted, and go or fill up while they are written to.
@Suite(.enabled(if: LoopMedium.isAllowed, "mounting is not allowed here: no medium is pulled out")) struct PulledMediumTests {
    private func archives(_ world: World) throws -> (small: ArchiveSource, large: ArchiveSource) {
        try world.put("foo", ["1.0.0": "foo one"])
        let first = try world.snapshot()
        let small = try ArchiveSource(volumes: [world.bundle()])
        // Hexadecimal noise, which does not shrink below one chunk.
        try world.put("noise", ["1.0.0": (0..<163_840).map { SHA512.digest(of: Array("\($0)".utf8)).hex }.joined()])
        try world.snapshot()
        return (small, try ArchiveSource(volumes: [world.bundle(from: first.header.id)]))
    }

    @Test func `a stick that is pulled out is named, keeps what it held, and goes on where it was when it is plugged in again`() throws {
        let world = try World()
        let (small, large) = try archives(world)
        let stick = try LoopMedium(label: "NPM STICK", megabytes: 48)
        try stick.mount()
        let medium = Medium(mountedAt: FilePath(stick.point))
        #expect(medium.label == "NPM STICK")
        let entry = try MediumWriter(medium: medium).export(small, volumeSize: nil)
        let before = try world.contents(of: medium.directory(of: entry.descriptor.bundle))
        let pulling = MediumWriter(medium: medium) { _, done, total in
            if done > total / 2 { try? stick.pull() }
        }
        #expect(throws: MediumTrouble.gone(medium)) { try pulling.export(large, volumeSize: nil) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: stick.point) == [])

        try stick.mount()
        #expect(try medium.entries() == [entry])
        #expect(try world.contents(of: medium.directory(of: entry.descriptor.bundle)) == before)
        let files = CountingFileSystem()
        let whole = try MediumWriter(medium: medium, files: files).export(large, volumeSize: nil)
        let pieces = VolumeCut.chunks(of: large.length)
        #expect(pieces > 2 && (1...pieces / 2).contains(files.pieces), "\(files.pieces) of \(pieces)")
        #expect(try medium.entries()?.count == 2)
        let copied = try medium.archive(of: whole)
        #expect(try copied.read(Int(copied.length), at: 0) == large.read(Int(large.length), at: 0))
    }

    @Test func `a stick that is pulled out before anything is written leaves nothing below its mount point`() throws {
        let world = try World()
        let (_, large) = try archives(world)
        let stick = try LoopMedium(label: "STICK", megabytes: 48)
        try stick.mount()
        let medium = Medium(mountedAt: FilePath(stick.point))
        let pulls = Mutex(0)
        let pulling = MediumWriter(medium: medium) { phase, _, _ in
            if phase == .readingBack,
                pulls.withLock({
                    $0 += 1; return $0 == 1
                })
            {
                try? stick.pull()
            }
        }
        #expect(throws: MediumTrouble.gone(medium)) { try pulling.export(large, volumeSize: 4 << 20) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: stick.point) == [])
        try stick.mount()
        #expect(try medium.entries() == nil)
        #expect(try MediumWriter(medium: medium).export(large, volumeSize: 4 << 20).volumes.count > 2)
    }

    @Test func `a stick that runs full says how much is missing, keeps what it held, and is cleared up`() throws {
        let world = try World()
        let (small, large) = try archives(world)
        let stick = try LoopMedium(label: "TIGHT", megabytes: 32)
        try stick.mount()
        let medium = Medium(mountedAt: FilePath(stick.point))
        let entry = try MediumWriter(medium: medium).export(small, volumeSize: nil)
        let filler = medium.root.appending("holiday.mkv")
        let filling = MediumWriter(medium: medium) { _, done, _ in
            guard done <= 4 << 20 else { return }
            // Somebody else copies to it meanwhile.
            try? DiskFileSystem().write([UInt8](repeating: 1, count: 64 << 20), to: filler)
        }
        #expect {
            try filling.export(large, volumeSize: nil)
        } throws: { error in
            guard case .full(medium, let needed, let free)? = error as? MediumTrouble else { return false }
            return needed == large.length && free < needed
        }
        #expect(try medium.entries() == [entry])
        #expect(try world.files.names(in: medium.folder.appending("bundles")) == [entry.descriptor.bundle])
        // It is told before anything is written, too.
        #expect {
            try MediumWriter(medium: medium).export(large, volumeSize: nil)
        } throws: { error in
            "\(error)".hasPrefix("the medium \"TIGHT\" at \"\(stick.point)\" is full: ")
        }
        try world.files.removeTree(filler)
        #expect(try MediumWriter(medium: medium).export(large, volumeSize: nil).size == large.length)
    }

    @Test func `a stick that can hold no more files says so`() throws {
        let world = try World()
        let (small, _) = try archives(world)
        let stick = try LoopMedium(label: "CROWDED", megabytes: 16, files: 32)
        try stick.mount()
        let medium = Medium(mountedAt: FilePath(stick.point))
        for number in 0..<100 { try? world.files.write([], to: medium.root.appending("photo-\(number).jpg")) }
        #expect(throws: MediumTrouble.fullOfFiles(medium)) { try MediumWriter(medium: medium).export(small, volumeSize: nil) }
        for number in 0..<100 { _ = try world.files.remove(medium.root.appending("photo-\(number).jpg")) }
        #expect(try MediumWriter(medium: medium).export(small, volumeSize: nil).size == small.length)
    }

    @Test func `what vanishes between the kernel's word and the look is no medium`() throws {
        let stick = try LoopMedium(label: "HASTY")
        try stick.mount()
        let survey = MediaSurvey(roots: [FilePath(stick.point)])
        let table = try MountTable()
        #expect(survey.media(in: table).map(\.label) == ["HASTY"])
        try stick.unmount()
        #expect(survey.media(in: table).isEmpty)
        #expect(survey.medium(holding: FilePath(stick.point), in: table) == nil)
    }
}
