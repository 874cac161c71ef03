import BundleFormat
import Foundation
import Integrity
import MediaLayout
import Platform
import Snapshots
import SystemPackage
import Testing

/// Volumes of one bundle on several media: what is listed is whole, and together it is the archive.
@Suite struct SpreadTests {
    private func archive(_ world: World) throws -> ArchiveSource {
        // Hexadecimal noise, which shrinks to half.
        try world.put("noise", ["1.0.0": (0..<81_920).map { SHA512.digest(of: Array("\($0)".utf8)).hex }.joined()])
        try world.snapshot()
        return try ArchiveSource(volumes: [world.bundle()])
    }

    private func bytes(of archive: ArchiveSource) throws -> [UInt8] { try archive.read(Int(archive.length), at: 0) }

    private func media(_ world: World) throws -> [Medium] {
        try ["one", "two", "three"].map { name in
            let root = world.root.appending(name)
            try world.files.createDirectories(root)
            return Medium(root: root, label: name)
        }
    }

    @Test(arguments: [true, false])
    func `an export of volumes that stops at any step lists whole ones only, and goes on from them`(isKilled: Bool) throws {
        let world = try World()
        let archive = try archive(world)
        let whole = try bytes(of: archive)
        let medium = try media(world)[0]
        let count = VolumeCut.chunks(of: archive.length)
        var (steps, isDone) = (0, false)
        while !isDone {
            steps += 1
            try world.files.removeTree(medium.folder)
            let faulty = CrashingFileSystem(stepsUntilCrash: steps, isLasting: isKilled, countsSyncs: true)
            let writer = MediumWriter(medium: medium, files: faulty)
            do {
                _ = try writer.exportPart(archive, volumeSize: 4 << 20, wanted: Array(1...count))
                isDone = true
            } catch is MediumTrouble {}
            let listed = try medium.parts().first
            for number in listed?.numbers ?? [] {
                let part = try #require(listed)
                let volume = part.cut.volume(number)
                let path = medium.partDirectory(of: part.descriptor.bundle).appending(volume.name)
                let range = Int(volume.offset)..<Int(volume.offset + volume.size)
                #expect(try world.files.contents(of: path, limit: 1 << 23) == Array(whole[range]))
            }
            let counting = CountingFileSystem()
            let part = try MediumWriter(medium: medium, files: counting).exportPart(archive, volumeSize: 4 << 20, wanted: Array(1...count))
            #expect(part.numbers == Array(1...count) && counting.pieces <= count - (listed?.numbers.count ?? 0))
            #expect(try world.files.names(in: medium.partDirectory(of: part.descriptor.bundle))?.contains { $0.hasPrefix(".") } == false)
            try #require(steps < 200)
        }
        #expect(steps > 20)
    }

    @Test func `volumes from several media, in any order, are the archive; of another cut none is taken`() throws {
        let world = try World()
        let archive = try archive(world)
        let media = try media(world)
        let count = VolumeCut.chunks(of: archive.length)
        for (index, medium) in media.enumerated() {
            let wanted = (1...count).filter { $0 % 3 == index }
            _ = try MediumWriter(medium: medium).exportPart(archive, volumeSize: 4 << 20, wanted: wanted)
            let check = Process()
            check.executableURL = URL(fileURLWithPath: "/bin/sh")
            let folder = medium.partDirectory(of: try BundleTail(of: archive).descriptor.bundle.text)
            check.arguments = ["-c", "cd '\(folder)' && sha512sum --quiet -c SHA512SUMS"]
            try check.run()
            check.waitUntilExit()
            #expect(check.terminationStatus == 0)
        }
        let parts = try media.map { try #require(try $0.parts().first) }
        var gathering = VolumeGathering(parts[2], on: media[2])
        gathering.add(parts[0], on: media[0])
        #expect(try gathering.missing == parts[1].numbers && gathering.archive() == nil)
        gathering.add(parts[1], on: media[1])
        #expect(try bytes(of: #require(try gathering.archive())) == bytes(of: archive))

        let spool = VolumeSpool(root: world.root.appending("spool"))
        for index in [1, 2, 0] { _ = try spool.take(parts[index], from: media[index]) }
        let kept = try #require(spool.parts().first)
        #expect(try bytes(of: spool.archive(of: kept)) == bytes(of: archive))
        // Another cut is another set.
        _ = try MediumWriter(medium: media[0]).exportPart(archive, volumeSize: 8 << 20, wanted: [1])
        #expect(try spool.take(#require(try media[0].parts().first), from: media[0]).numbers == [1])
        try spool.remove(kept.descriptor.bundle)
        #expect(spool.parts().isEmpty)
    }

    @Test func `a spool takes nothing where not all that is to come would fit`() throws {
        let world = try World()
        let archive = try archive(world)
        let medium = try media(world)[0]
        var part = try MediumWriter(medium: medium).exportPart(archive, volumeSize: 4 << 20, wanted: [1])
        // A part that says that petabytes are to come.
        let cut = try VolumeCut(part.descriptor.label, length: 16 << 40, volumeSize: 1 << 40)
        part = MediumPart(descriptor: part.descriptor, cut: cut, volumes: part.volumes)
        let spool = VolumeSpool(root: world.root.appending("spool"))
        #expect(throws: VolumeSpool.NoSpace.self) { try spool.take(part, from: medium) }
        #expect(spool.parts().isEmpty)
    }

    @Test func `a file system with short files gets volumes by itself, and refuses longer ones`() throws {
        let world = try World()
        let archive = try archive(world)
        let medium = Medium(root: try media(world)[0].root, label: "FAT", largestVolume: 4 << 20)
        #expect(throws: MediumWriter.Refusal.tooLargeFiles(medium, size: 8 << 20, limit: 4 << 20)) {
            try MediumWriter(medium: medium).export(archive, volumeSize: 8 << 20)
        }
        let entry = try MediumWriter(medium: medium).export(archive, volumeSize: nil)
        #expect(entry.volumes.count == VolumeCut.chunks(of: archive.length) && entry.volumes[0].size == 4 << 20)
        #expect(VolumeCut.ofFAT == 4_290_772_992)
    }

    @Test(arguments: [1, 4 << 20, 100 << 20, 3 << 30, 700 << 30, 16 << 40] as [Int64])
    func `volumes that are spread are few, and never longer than the file system takes`(length: Int64) throws {
        for limit in [nil, VolumeCut.ofFAT] {
            let size = VolumeCut.spreading(length, largestVolume: limit)
            #expect(size % (4 << 20) == 0 && size <= limit ?? .max && size > 0)
            if let limit, (length - 1) / limit >= 999 { continue }
            #expect(try VolumeCut("diff-202601010000", length: length, volumeSize: size).count <= 999)
        }
    }

    @Test func `a list of volumes that lies is refused`() throws {
        let world = try World()
        let medium = try media(world)[0]
        let part = try MediumWriter(medium: medium).exportPart(archive(world), volumeSize: 4 << 20, wanted: [1])
        let path = medium.partDirectory(of: part.descriptor.bundle).appending("part.json")
        let before = String(decoding: try #require(try world.files.contents(of: path, limit: 1 << 20)), as: UTF8.self)
        #expect(try MediumPart(parsing: Array(before.utf8)) == part)
        for (pattern, text) in [
            (#""archiveSizeBytes":[0-9]+"#, #""archiveSizeBytes":99999999999999"#),
            (#""archiveSizeBytes":[0-9]+"#, #""archiveSizeBytes":1"#),
            (#""volumeSizeBytes":[0-9]+"#, #""volumeSizeBytes":4194305"#), (#""volumeSizeBytes":[0-9]+"#, #""volumeSizeBytes":8388608"#),
            (#""volumeSizeBytes":[0-9]+"#, #""volumeSizeBytes":-4194304"#), ("zst.001", "zst.009"), ("zst.001", "zst"), ("diff-", "../f-"),
            (#""bundle":"b-."#, #""bundle":"b-!"#), (#""bundle":"b-."#, #""bundle":"b-u"#), ("ferry.part", "ferry.index"),
            (#""formatVersion":1"#, #""formatVersion":2"#), (#""files":"#, #""extra":1,"files":"#), ("$", "x"),
        ] {
            let after = before.replacing(try Regex(pattern), with: text, maxReplacements: 1)
            #expect(after != before)
            try world.files.write(Array(after.utf8), to: path)
            #expect(throws: (any Error).self, "\(text)") { try medium.parts() }
        }
        // A whole list of another bundle, in this one's folder.
        try world.files.write(Array(before.utf8), to: path)
        let other = medium.partDirectory(of: "b-00000000000000000000")
        try world.files.rename(medium.partDirectory(of: part.descriptor.bundle), to: other)
        #expect(throws: (any Error).self) { try medium.parts() }
    }

    @Test func `what was written of a spread bundle is kept between exports`() throws {
        let world = try World()
        #expect(try SpreadRecord(beside: world.root) == nil)
        var record = SpreadRecord(volumeSize: 4 << 20)
        record.note([1, 2], on: "a1", label: "STICK")
        record.note([5], on: "b2", label: nil)
        record.note([1, 2, 3], on: "a1", label: "STICK")
        try record.keep(beside: world.root)
        #expect(try SpreadRecord(beside: world.root) == record && record.written == [1, 2, 3, 5])
        try SpreadRecord.forget(beside: world.root)
        #expect(try SpreadRecord(beside: world.root) == nil)
        #expect([1, 2, 3, 5, 7, 8].ranges == "1–3, 5, 7, 8" && [Int]().ranges == "")
    }
}
