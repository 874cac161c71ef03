package import BundleFormat
import Integrity
package import Platform
package import SystemPackage

/// Volumes of bundles that are spread over several media, kept on a disk until all of them have come.
///
/// It is laid out as a medium is. A volume is listed when it was copied and had the digest that its medium said; a process that is killed
/// leaves no other.
package struct VolumeSpool: Sendable {
    /// There is no room for all the volumes of a bundle.
    ///
    /// Nothing was copied.
    package struct NoSpace: Error, CustomStringConvertible {
        package let bundle: String
        package let root: FilePath
        package let needed: Int64
        package let free: Int64

        package var description: String {
            "\"\(root)\" has room for \(max(free, 0)) bytes, and \(needed) are needed to keep the volumes of bundle \(bundle) until all of "
                + "them have come"
        }
    }

    private let medium: Medium
    private let files: any FileSystem

    /// Bytes that are left free.
    private static let reserve: Int64 = 64 << 20

    /// - Parameter root: a directory of its own.
    package init(root: FilePath, files: any FileSystem = DiskFileSystem()) {
        medium = Medium(root: root)
        self.files = files
    }

    /// What is kept, as far as it can be read.
    package func parts() -> [MediumPart] { (try? medium.parts()) ?? [] }

    /// Copies the volumes of a part that are not kept yet; those of another cut of the bundle go.
    ///
    /// - Parameters:
    ///   - source: the medium that the part is on.
    ///   - progress: told of bytes copied, and of those to be copied.
    /// - Returns: all that is kept of the bundle.
    /// - Throws: `NoSpace`, `BundleError` for a volume that is not what the medium says, `MediumTrouble`, `FileSystemError`.
    package func take(
        _ part: MediumPart, from source: Medium, progress: (_ done: Int64, _ total: Int64) -> Void = { _, _ in }
    ) throws -> MediumPart {
        let bundle = part.descriptor.bundle
        var kept = (try? medium.part(of: bundle)) ?? MediumPart(descriptor: part.descriptor, cut: part.cut)
        if !kept.belongs(to: part) {
            try remove(bundle)
            kept = MediumPart(descriptor: part.descriptor, cut: part.cut)
        }
        let missing = part.volumes.filter { volume in !kept.volumes.contains { $0.name == volume.name } }
        guard !missing.isEmpty else { return kept }
        let directory = medium.partDirectory(of: bundle)
        try files.createDirectories(directory)
        // All that is still to come must fit, so that nobody carries five sticks and is told at the sixth.
        let needed = part.cut.length - kept.size + Self.reserve
        let free = try FileSystemSpace(holding: directory).freeBytes
        guard free >= needed else { throw NoSpace(bundle: bundle, root: medium.root, needed: needed, free: free) }
        let watch = try MediumWatch(source)
        let total = missing.reduce(0) { $0 + $1.size }
        var done: Int64 = 0
        for volume in missing {
            let path = directory.appending(volume.name)
            do {
                try copy(volume, from: source.partDirectory(of: bundle).appending(volume.name), to: path) { progress(done + $0, total) }
            } catch {
                _ = try? files.remove(path)
                throw watch.explained(error, needed: 0)
            }
            done += volume.size
            kept.add(volume)
            try files.replace(directory.appending("part.json"), with: kept.bytes)
        }
        return kept
    }

    /// Opens the archive of a bundle of which every volume is kept.
    package func archive(of part: MediumPart) throws(FileSystemError) -> ArchiveSource {
        let directory = medium.partDirectory(of: part.descriptor.bundle)
        return try ArchiveSource(volumes: part.cut.volumes.map { directory.appending($0.name) })
    }

    /// Lets go of what is kept of a bundle.
    package func remove(_ bundle: String) throws(FileSystemError) {
        // The list first: what it does not name is not taken for kept.
        _ = try files.remove(medium.partDirectory(of: bundle).appending("part.json"))
        try files.removeTree(medium.partDirectory(of: bundle))
    }

    private func copy(_ volume: MediumEntry.Volume, from source: FilePath, to path: FilePath, _ progress: (Int64) -> Void) throws {
        let place = "\"\(source)\""
        guard let reader = try FileReader(opening: source) else { throw BundleError(.damaged, place, "it is listed, and is not there") }
        reader.adviseSequential()
        let writer = try FileWriter(creating: path)
        let hasher = SHA512Hasher()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(BundleDescriptor.chunkSize), alignment: 4096)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while offset <= volume.size {
            let count = try reader.read(into: buffer, at: offset)
            if count == 0 { break }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            hasher.update(piece)
            try writer.write(piece)
            writer.startWriteback()
            offset += Int64(count)
            progress(offset)
        }
        guard offset == volume.size, hasher.finalize() == volume.digest else {
            throw BundleError(.damaged, place, "it is not the file of \(volume.size) bytes that was written there")
        }
        try writer.sync()
        try writer.close()
    }
}

/// The volumes of a bundle wherever they lie at the moment.
package struct VolumeGathering: Sendable {
    package let descriptor: MediumEntry.Summary
    package let cut: VolumeCut
    private var places: [Int: FilePath] = [:]

    /// Begins with what one medium carries.
    package init(_ part: MediumPart, on medium: Medium) {
        descriptor = part.descriptor
        cut = part.cut
        add(part, on: medium)
    }

    /// Adds what another carries; nothing where that is of another archive, or cut otherwise.
    package mutating func add(_ part: MediumPart, on medium: Medium) {
        guard part.descriptor == descriptor, part.cut == cut else { return }
        for number in part.numbers where places[number] == nil {
            places[number] = medium.partDirectory(of: descriptor.bundle).appending(cut.volume(number).name)
        }
    }

    /// The numbers of the volumes that are nowhere, in their order.
    package var missing: [Int] { (1...cut.count).filter { places[$0] == nil } }

    /// Opens the archive where nothing is missing.
    package func archive() throws(FileSystemError) -> ArchiveSource? {
        let paths = (1...cut.count).compactMap { places[$0] }
        return paths.count == cut.count ? try ArchiveSource(volumes: paths) : nil
    }
}
