package import CanonicalJSON
package import Integrity
package import Platform
package import Snapshots

/// Whom a bundle is for.
package enum BundleDestination: Sendable, Hashable, CustomStringConvertible {
    /// Whoever trusts the origin.
    case any
    /// One isolated registry.
    case only(Identifier)

    /// Accepts `any` or a destination's id.
    package init?(_ text: String) {
        if text == "any" {
            self = .any
        } else if let id = Identifier(text, .destination) {
            self = .only(id)
        } else {
            return nil
        }
    }

    package var description: String {
        switch self {
        case .any: "any"
        case .only(let id): id.text
        }
    }
}

/// How much a bundle carries.
package struct BundleCounts: Sendable, Hashable {
    package var files: Int
    /// Bytes.
    package var bytes: Int64
    package var packages: Int
    package var removed: Int

    package init(files: Int, bytes: Int64, packages: Int, removed: Int) {
        self.files = files
        self.bytes = bytes
        self.packages = packages
        self.removed = removed
    }

    /// Largest number of files or removed entries (FORMAT.md §2).
    package static let fileLimit: Int64 = 4_000_000

    package var json: JSONValue {
        ["files": .integer(files), "bytes": .integer(bytes), "packages": .integer(packages), "removed": .integer(removed)]
    }

    package init(_ object: consuming StrictObject) throws(DocumentError) {
        files = Int(try object.integer("files", in: 0...Self.fileLimit))
        bytes = try object.integer("bytes")
        packages = Int(try object.integer("packages", in: 0...Self.fileLimit))
        removed = Int(try object.integer("removed", in: 0...Self.fileLimit))
        try object.finish()
    }
}

/// The small signed document that describes a bundle (FORMAT.md §6.1).
package struct BundleDescriptor: Sendable, Hashable {
    package var bundle: Identifier
    package var label: String
    package var created: Timestamp
    package var origin: Identifier
    package var destination: BundleDestination
    package var sequence: Int64
    package var baselineRoot: SHA512Digest
    package var targetRoot: SHA512Digest
    package var counts: BundleCounts
    package var manifestDigest: SHA512Digest
    package var leadingLength: Int64
    package var coveredLength: Int64
    package var chunkTableDigest: SHA512Digest
    package var writer: String

    /// Bytes covered by each digest of the chunk table.
    package static let chunkSize: Int64 = 4 << 20
    /// Longest descriptor, and longest run of signatures, in bytes.
    package static let sizeLimit = 64 * 1024
    static let document = "descriptor"

    /// The canonical bytes, which are what is signed.
    package var bytes: [UInt8] {
        let value: JSONValue = [
            "type": "ferry.bundle", "formatVersion": .integer(TransferFormat.version), "bundle": .string(bundle.text),
            "label": .string(label),
            "created": .string(created.description), "origin": .string(origin.text), "destination": .string(destination.description),
            "sequence": .integer(sequence), "baselineRoot": .string(baselineRoot.hex), "targetRoot": .string(targetRoot.hex),
            "counts": counts.json, "manifestSHA512": .string(manifestDigest.hex), "leadingLength": .integer(leadingLength),
            "coveredLength": .integer(coveredLength), "chunkSize": .integer(Self.chunkSize),
            "chunkTableSHA512": .string(chunkTableDigest.hex), "writer": .string(writer),
        ]
        return value.canonicalBytes
    }

    /// The comment that every signature of this bundle carries.
    package var trustedComment: String { "ferry bundle=\(bundle) destination=\(destination) sequence=\(sequence)" }

    package init(
        bundle: Identifier, label: String, created: Timestamp, origin: Identifier, destination: BundleDestination, sequence: Int64,
        baselineRoot: SHA512Digest, targetRoot: SHA512Digest, counts: BundleCounts, manifestDigest: SHA512Digest,
        leadingLength: Int64, coveredLength: Int64, chunkTableDigest: SHA512Digest, writer: String
    ) {
        self.bundle = bundle
        self.label = label
        self.created = created
        self.origin = origin
        self.destination = destination
        self.sequence = sequence
        self.baselineRoot = baselineRoot
        self.targetRoot = targetRoot
        self.counts = counts
        self.manifestDigest = manifestDigest
        self.leadingLength = leadingLength
        self.coveredLength = coveredLength
        self.chunkTableDigest = chunkTableDigest
        self.writer = writer
    }

    /// Reads a descriptor; bytes that are not its canonical form are refused.
    package init(parsing bytes: [UInt8]) throws(DocumentError) {
        var object = try StrictObject(parsing: bytes, document: Self.document)
        try object.header(type: "ferry.bundle", version: TransferFormat.version)
        bundle = try object.take("bundle") { $0.string.flatMap { Identifier($0, .bundle) } }
        label = try object.take("label") { $0.string.flatMap { Self.isLabel($0) ? $0 : nil } }
        created = try object.take("created") { $0.string.flatMap { Timestamp($0) } }
        origin = try object.take("origin") { $0.string.flatMap { Identifier($0, .origin) } }
        destination = try object.take("destination") { $0.string.flatMap { BundleDestination($0) } }
        sequence = try object.integer("sequence", in: 1...9_007_199_254_740_991)
        baselineRoot = try object.take("baselineRoot") { $0.string.flatMap { SHA512Digest(hex: $0) } }
        targetRoot = try object.take("targetRoot") { $0.string.flatMap { SHA512Digest(hex: $0) } }
        counts = try BundleCounts(object.object("counts"))
        manifestDigest = try object.take("manifestSHA512") { $0.string.flatMap { SHA512Digest(hex: $0) } }
        coveredLength = try object.integer("coveredLength", in: 1...(16 << 40))
        leadingLength = try object.integer("leadingLength", in: 1...coveredLength)
        _ = try object.integer("chunkSize", in: Self.chunkSize...Self.chunkSize)
        chunkTableDigest = try object.take("chunkTableSHA512") { $0.string.flatMap { SHA512Digest(hex: $0) } }
        writer = try object.take("writer") { $0.string.flatMap { $0.utf8.count <= 200 ? $0 : nil } }
        try object.finish()
        guard self.bytes == bytes else { throw DocumentError(Self.document, "it is not canonical") }
    }

    /// `diff-YYYYMMDDHHmm`, which is also the archive's name without its endings.
    private static func isLabel(_ text: String) -> Bool {
        text.utf8.count == 17 && text.hasPrefix("diff-") && text.dropFirst(5).utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }
}
