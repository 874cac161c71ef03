package import BundleFormat
import Integrity
import Platform
import Snapshots
import SystemPackage

extension MediumWriter {
    /// Writes as many volumes of an archive as there is room for, in their order, and lists each when it was read back.
    ///
    /// A volume that stands there already is compared and kept, and so is what an export wrote of one that was killed, or whose medium was
    /// pulled out. Volumes of another cut of the bundle are removed.
    ///
    /// - Parameters:
    ///   - volumeSize: bytes of a volume.
    ///   - wanted: the numbers of the volumes that are to be written, or to be found there.
    /// - Returns: all that the medium carries of the bundle then.
    /// - Throws: `MediumTrouble.full` where there is no room for a single one, without the spent bundles; as `export(_:volumeSize:)`. What was listed is listed.
    package func exportPart(_ archive: ArchiveSource, volumeSize: Int64, wanted: [Int]) throws -> MediumPart {
        let tail = try BundleTail(of: archive)
        let cut = try VolumeCut(tail.descriptor.label, length: archive.length, volumeSize: volumeSize)
        try refuseTooLarge(cut)
        return try writing(wanted.first.map { cut.volume($0).size } ?? 0) { watch in
            let directory = medium.partDirectory(of: tail.descriptor.bundle.text)
            // The folder of the volumes, the list of them and a draft of one come beside what a copy takes.
            try makeRoom(needed(0, volumes: wanted.count + 3, tail), sparing: tail.descriptor.bundle.text, watch)
            try prepareFolder(medium.partsFolder)
            try prepareFolder(directory)
            try writePapers()
            if try medium.entries() == nil { try files.replace(indexPath, with: MediumIndex.bytes([])) }
            var work = PartWork(
                files: files, directory: directory, tail: tail, part: MediumPart(descriptor: MediumEntry.Summary(tail.descriptor), cut: cut)
            )
            try work.takeOver(try? medium.part(of: tail.descriptor.bundle.text))
            let listed = work.part.numbers.filter(wanted.contains)
            // The papers and the list grow a little with each volume.
            let reserve = 1 << 20 + 2 * Int64(tail.chunkTable.count) - (try work.draftBytes())
            let missing = wanted.filter { !listed.contains($0) }
            /// The first of those that are missing, as many as there is room for.
            func fitting(_ free: Int64) -> (numbers: [Int], bytes: Int64) {
                var sum: Int64 = 0
                let numbers = missing.prefix { number in
                    guard sum + cut.volume(number).size + reserve <= free else { return false }
                    sum += cut.volume(number).size
                    return true
                }
                return (Array(numbers), sum)
            }
            if try fitting(freeBytes()).numbers != missing {
                let bundle = tail.descriptor.bundle.text
                let spent = try spentHere().filter { $0.bundle != bundle }.reduce(0) { $0 + $1.size.bytes }
                let most = try fitting(freeBytes() + spent)
                if !most.numbers.isEmpty { try makeRoom(Room(bytes: most.bytes + reserve, files: 0), sparing: bundle, watch) }
            }
            let fitting = try fitting(freeBytes()).numbers
            if listed.isEmpty, fitting.isEmpty, let first = missing.first {
                throw MediumTrouble.full(medium, needed: cut.volume(first).size + 1 << 20, free: try freeBytes())
            }
            let total = (listed + fitting).reduce(0) { $0 + cut.volume($1).size }
            let copy = VolumeCopy(archive: archive, files: files, watch: watch, progress: progress, total: total)
            var done: Int64 = 0
            for number in listed + fitting {
                try work.write(cut.volume(number), by: copy, done: done)
                done += cut.volume(number).size
            }
            return work.part
        }
    }
}

/// A directory that volumes are added to, one after the other.
private struct PartWork {
    let files: any FileSystem
    let directory: FilePath
    let tail: BundleTail
    var part: MediumPart

    private var list: FilePath { directory.appending("part.json") }
    private func draft(of name: String) -> FilePath { directory.appending(".\(name).draft") }

    /// Goes on with what is there of the same archive, cut in the same way; everything else goes.
    mutating func takeOver(_ known: MediumPart?) throws {
        if let known, known.belongs(to: part) { part = known } else { _ = try files.remove(list) }
        let names = Set(part.cut.volumes.map(\.name))
        let kept = Set(
            part.volumes.map(\.name) + names.map { ".\($0).draft" } + MediumWriter.papers(tail, volumes: []).map(\.name) + ["part.json"])
        for name in try files.names(in: directory) ?? [] where !kept.contains(name) { try files.removeTree(directory.appending(name)) }
    }

    /// Bytes of volumes that were begun.
    func draftBytes() throws -> Int64 {
        try part.cut.volumes.reduce(0) { sum, volume in
            let status = try files.status(of: draft(of: volume.name))
            return sum + (status?.kind == .file ? min(status?.identity.size ?? 0, volume.size) : 0)
        }
    }

    /// Makes a volume stand here and lists it; what is listed and is not whole is taken off the list before it is written anew.
    mutating func write(_ volume: VolumeCut.Volume, by copy: VolumeCopy, done: Int64) throws {
        let path = directory.appending(volume.name)
        if let listed = part.volume(volume.number) {
            let isWhole = try (try? copy.readBack(listed, at: path, done: done)) != nil && copy.digest(of: volume) == listed.digest
            if isWhole { return try writePapers() }
            part.remove(volume.name)
            try commit()
            try files.removeTree(path)
        }
        let draft = draft(of: volume.name)
        do {
            let (digest, isProven) = try copy.copy(volume, to: draft, done: done)
            let entry = MediumEntry.Volume(name: volume.name, size: volume.size, digest: digest)
            if !isProven { try copy.readBack(entry, at: draft, done: done) }
            try copy.watch.require()
            try files.rename(draft, to: path)
            part.add(entry)
            try commit()
        } catch {
            if copy.watch.isThere { try? files.removeTree(draft) }
            throw error
        }
    }

    private func commit() throws {
        try writePapers()
        try files.replace(list, with: part.bytes)
    }

    private func writePapers() throws {
        for (name, bytes) in MediumWriter.papers(tail, volumes: part.volumes) {
            let path = directory.appending(name)
            if (try? files.contents(of: path, limit: bytes.count)) != bytes { try files.replace(path, with: bytes) }
        }
    }
}
