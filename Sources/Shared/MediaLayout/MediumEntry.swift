package import BundleFormat
package import CanonicalJSON
package import Integrity
import Platform
import Snapshots

/// A bundle as a medium's index lists it (FORMAT.md §9).
///
/// Not evidence: what is opened is verified by itself.
package struct MediumEntry: Sendable, Hashable {
    /// The archive or one of its volumes.
    package struct Volume: Sendable, Hashable {
        package let name: String
        /// Bytes.
        package let size: Int64
        package let digest: SHA512Digest

        package init(name: String, size: Int64, digest: SHA512Digest) {
            self.name = name
            self.size = size
            self.digest = digest
        }

        init(_ value: JSONValue, document: String) throws(DocumentError) {
            var file = try StrictObject(value, document: document)
            name = try file.take("name") { $0.string.flatMap { Medium.isArchiveName($0) ? $0 : nil } }
            size = try file.integer("sizeBytes")
            digest = try file.take("sha512") { $0.string.flatMap { SHA512Digest(hex: $0) } }
            try file.finish()
        }

        var json: JSONValue { ["name": .string(name), "sizeBytes": .integer(size), "sha512": .string(digest.hex)] }
    }

    package let descriptor: Summary
    package let volumes: [Volume]

    /// What the index repeats of the descriptor.
    package struct Summary: Sendable, Hashable {
        package let bundle: String
        package let label: String
        package let origin: String
        package let destination: String
        package let sequence: Int64
        package let created: String
        package let baselineRoot: String
        package let targetRoot: String
        package let counts: BundleCounts

        /// Takes its members of a document.
        init(_ object: inout StrictObject) throws(DocumentError) {
            let bundle = try object.take("bundle") { $0.string.flatMap { Identifier($0, .bundle) } }
            label = try object.take("label") { $0.string.flatMap { Medium.isArchiveName("\($0).tar.zst") ? $0 : nil } }
            let origin = try object.take("origin") { $0.string.flatMap { Identifier($0, .origin) } }
            let destination = try object.take("destination") { $0.string.flatMap { BundleDestination($0) } }
            sequence = try object.integer("sequence")
            let created = try object.take("created") { $0.string.flatMap { Timestamp($0) } }
            let baselineRoot = try object.take("baselineRoot") { $0.string.flatMap { SHA512Digest(hex: $0) } }
            let targetRoot = try object.take("targetRoot") { $0.string.flatMap { SHA512Digest(hex: $0) } }
            counts = try BundleCounts(object.object("counts"))
            (self.bundle, self.origin, self.destination) = (bundle.text, origin.text, destination.description)
            (self.created, self.baselineRoot, self.targetRoot) = (created.description, baselineRoot.hex, targetRoot.hex)
        }

        var json: JSONObject {
            JSONObject(uniqueMembers: [
                (name: "bundle", value: .string(bundle)), (name: "label", value: .string(label)),
                (name: "origin", value: .string(origin)), (name: "destination", value: .string(destination)),
                (name: "sequence", value: .integer(sequence)), (name: "created", value: .string(created)),
                (name: "baselineRoot", value: .string(baselineRoot)), (name: "targetRoot", value: .string(targetRoot)),
                (name: "counts", value: counts.json),
            ])
        }
    }

    package init(descriptor: Summary, volumes: [Volume]) {
        self.descriptor = descriptor
        self.volumes = volumes
    }

    /// Where it stands in the index: by origin, sequence and time of making.
    var place: (String, Int64, String, String) { (descriptor.origin, descriptor.sequence, descriptor.created, descriptor.bundle) }

    /// Bytes of all volumes.
    package var size: Int64 { volumes.reduce(0) { $0 + $1.size } }

    package var json: JSONValue {
        var object = descriptor.json
        object["sizeBytes"] = .integer(size)
        object["files"] = .array(volumes.map(\.json))
        return .object(object)
    }

    init(_ value: JSONValue) throws(DocumentError) {
        var object = try StrictObject(value, document: MediumIndex.document)
        descriptor = try Summary(&object)
        let size = try object.integer("sizeBytes")
        var volumes: [Volume] = []
        for value in try object.take("files", \.array) { volumes.append(try Volume(value, document: MediumIndex.document)) }
        try object.finish()
        self.volumes = volumes
        guard !volumes.isEmpty, volumes.count <= Medium.volumeLimit, self.size == size else {
            throw DocumentError(MediumIndex.document, "the files of bundle \(descriptor.bundle) do not add up")
        }
    }
}

extension MediumEntry.Summary {
    package init(_ descriptor: BundleDescriptor) {
        bundle = descriptor.bundle.text
        label = descriptor.label
        origin = descriptor.origin.text
        destination = descriptor.destination.description
        sequence = descriptor.sequence
        created = descriptor.created.description
        baselineRoot = descriptor.baselineRoot.hex
        targetRoot = descriptor.targetRoot.hex
        counts = descriptor.counts
    }
}

/// `index.json`: the table of contents of a medium.
package enum MediumIndex {
    static let document = "index of the medium"
    static let sizeLimit = 16 << 20
    static let bundleLimit = 10_000

    static func bytes(_ entries: [MediumEntry]) -> [UInt8] {
        let sorted = entries.sorted { $0.place < $1.place }
        let value: JSONValue = [
            "type": "ferry.index", "formatVersion": .integer(TransferFormat.version), "bundles": .array(sorted.map(\.json)),
        ]
        return value.canonicalBytes + [0x0A]
    }

    /// Whether a reader takes an index of these bundles.
    static func fits(_ entries: [MediumEntry]) -> Bool { entries.count <= bundleLimit && bytes(entries).count <= sizeLimit }

    static func parse(_ bytes: [UInt8]) throws(DocumentError) -> [MediumEntry] {
        var object = try StrictObject(parsing: bytes, document: document)
        try object.header(type: "ferry.index", version: TransferFormat.version)
        let values = try object.take("bundles", \.array)
        try object.finish()
        guard values.count <= bundleLimit else { throw DocumentError(document, "it lists more than \(bundleLimit) bundles") }
        var entries: [MediumEntry] = []
        for value in values { entries.append(try MediumEntry(value)) }
        guard Set(entries.map(\.descriptor.bundle)).count == entries.count else { throw DocumentError(document, "a bundle stands twice") }
        return entries
    }
}
