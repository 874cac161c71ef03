import BundleFormat
package import CanonicalJSON
import Integrity
import Platform
import Snapshots
package import SystemPackage

/// The volumes that a medium carries of a bundle which is spread over several media: `part.json` (FORMAT.md §9.1).
///
/// Not evidence: what is joined of volumes is verified by itself.
package struct MediumPart: Sendable, Hashable {
    package let descriptor: MediumEntry.Summary
    /// How the whole archive is cut.
    package let cut: VolumeCut
    /// Those that are here, in their order.
    package private(set) var volumes: [MediumEntry.Volume]

    package init(descriptor: MediumEntry.Summary, cut: VolumeCut, volumes: [MediumEntry.Volume] = []) {
        self.descriptor = descriptor
        self.cut = cut
        self.volumes = volumes
    }

    /// Bytes of the volumes that are here.
    package var size: Int64 { volumes.reduce(0) { $0 + $1.size } }

    /// The numbers of the volumes that are here.
    package var numbers: [Int] {
        let byName = Dictionary(uniqueKeysWithValues: cut.volumes.map { ($0.name, $0.number) })
        return volumes.compactMap { byName[$0.name] }
    }

    /// The volume of a number; `nil` where it is not here.
    package func volume(_ number: Int) -> MediumEntry.Volume? {
        let name = cut.volume(number).name
        return volumes.first { $0.name == name }
    }

    /// Whether both are of the same archive, cut in the same way.
    package func belongs(to other: MediumPart) -> Bool { descriptor == other.descriptor && cut == other.cut }

    mutating func add(_ volume: MediumEntry.Volume) {
        volumes.removeAll { $0.name == volume.name }
        volumes = (volumes + [volume]).sorted { $0.name < $1.name }
    }

    mutating func remove(_ name: String) { volumes.removeAll { $0.name == name } }

    static let document = "list of a part"
    static let sizeLimit = 1 << 20

    package var bytes: [UInt8] {
        var object = descriptor.json
        object["type"] = "ferry.part"
        object["formatVersion"] = 1
        object["archiveSizeBytes"] = .integer(cut.length)
        object["volumeSizeBytes"] = .integer(cut.volumeSize)
        object["files"] = .array(volumes.map(\.json))
        return JSONValue.object(object).canonicalBytes + [0x0A]
    }

    /// - Throws: `DocumentError` for volumes that such an archive, cut so, does not have.
    package init(parsing bytes: [UInt8]) throws(DocumentError) {
        var object = try StrictObject(parsing: bytes, document: Self.document)
        try object.header(type: "ferry.part", version: 1)
        descriptor = try MediumEntry.Summary(&object)
        let length = try object.integer("archiveSizeBytes", in: 1...(17 << 40))
        let size = try object.integer("volumeSizeBytes", in: BundleDescriptor.chunkSize...(17 << 40))
        do throws(MediumWriter.Refusal) { cut = try VolumeCut(descriptor.label, length: length, volumeSize: size) } catch {
            throw DocumentError(Self.document, "\(error)")
        }
        let values = try object.take("files", \.array)
        try object.finish()
        guard values.count <= Medium.volumeLimit else { throw DocumentError(Self.document, "it lists too many files") }
        var volumes: [MediumEntry.Volume] = []
        for value in values { volumes.append(try MediumEntry.Volume(value, document: Self.document)) }
        let sizes = Dictionary(uniqueKeysWithValues: cut.volumes.map { ($0.name, $0.size) })
        guard cut.isCut, Set(volumes.map(\.name)).count == volumes.count, volumes.allSatisfy({ sizes[$0.name] == $0.size }) else {
            throw DocumentError(Self.document, "its files are not volumes of an archive of \(length) bytes")
        }
        self.volumes = volumes.sorted { $0.name < $1.name }
    }
}

extension Medium {
    /// Where volumes of bundles lie that are spread over several media.
    package var partsFolder: FilePath { folder.appending("parts") }

    /// Where volumes of a bundle lie that is spread over several media.
    package func partDirectory(of bundle: String) -> FilePath { partsFolder.appending(bundle) }

    /// Of which bundles the medium carries some volumes, by origin and sequence.
    ///
    /// - Throws: `DocumentError`, `FileSystemError`.
    package func parts() throws -> [MediumPart] {
        let files = DiskFileSystem()
        guard try files.status(of: partsFolder)?.kind == .directory else { return [] }
        let names = (try files.names(in: partsFolder) ?? []).filter { Identifier($0, .bundle) != nil }
        guard names.count <= MediumIndex.bundleLimit else { throw DocumentError(MediumPart.document, "there are too many of them") }
        return try names.compactMap { try part(of: $0) }.sorted {
            ($0.descriptor.origin, $0.descriptor.sequence) < ($1.descriptor.origin, $1.descriptor.sequence)
        }
    }

    /// The volumes that the medium carries of a bundle; `nil` where there are none.
    package func part(of bundle: String) throws -> MediumPart? {
        let (files, directory) = (DiskFileSystem(), partDirectory(of: bundle))
        guard try files.status(of: directory)?.kind == .directory,
            let bytes = try files.contents(of: directory.appending("part.json"), limit: MediumPart.sizeLimit)
        else { return nil }
        let part = try MediumPart(parsing: bytes)
        guard part.descriptor.bundle == bundle else { throw DocumentError(MediumPart.document, "it is of another bundle") }
        return part
    }
}
