package import CanonicalJSON
package import Integrity
package import Platform
package import Snapshots

/// What a destination wants (FORMAT.md §14.3).
package struct WantRequest: Reply {
    package static let specLimit = 100_000

    package let request: Identifier
    package let destination: Identifier
    package let origin: Identifier
    package let created: Timestamp
    /// `name`, `name@range` or `name@tag`; sorted, each once.
    package let specs: [String]

    private static let document = "request"

    package init(request: Identifier, destination: Identifier, origin: Identifier, created: Timestamp, specs: Set<String>) {
        self.request = request
        self.destination = destination
        self.origin = origin
        self.created = created
        self.specs = specs.sorted { $0.precedesByBytes($1) }
    }

    /// Whether something can be asked for in these words, whatever they mean: 1 to 500 bytes without control characters.
    package static func isSpec(_ text: String) -> Bool {
        (1...500).contains(text.utf8.count) && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }

    package var value: JSONValue {
        [
            "type": "ferry.request", "formatVersion": 1, "request": .string(request.text), "destination": .string(destination.text),
            "origin": .string(origin.text), "created": .string(created.description), "specs": .array(specs.map { .string($0) }),
        ]
    }

    package var trustedComment: String { "ferry request=\(request) destination=\(destination) origin=\(origin)" }
    package var fileName: String { "\(request).json" }

    package init(parsing bytes: [UInt8]) throws(DocumentError) {
        var object = try StrictObject(parsing: bytes, document: Self.document)
        try object.header(type: "ferry.request", version: 1)
        request = try object.take("request") { $0.string.flatMap { Identifier($0, .request) } }
        destination = try object.take("destination") { $0.string.flatMap { Identifier($0, .destination) } }
        origin = try object.take("origin") { $0.string.flatMap { Identifier($0, .origin) } }
        created = try object.take("created") { $0.string.flatMap { Timestamp($0) } }
        let values = try object.take("specs", \.array)
        try object.finish()
        let specs = values.compactMap { $0.string.flatMap { Self.isSpec($0) ? $0 : nil } }
        guard specs.count == values.count, (1...Self.specLimit).contains(specs.count),
            zip(specs, specs.dropFirst()).allSatisfy({ $0.precedesByBytes($1) })
        else { throw DocumentError(Self.document, "\"specs\" is not what it should be") }
        self.specs = specs
        try refuse(unlessCanonical: bytes, Self.document)
    }
}

/// What a destination lacks for a bundle to fit (FORMAT.md §14.4).
package struct GapRequest: Reply {
    package let request: Identifier
    package let destination: Identifier
    package let origin: Identifier
    package let created: Timestamp
    /// The bundle that did not fit.
    package let bundle: Identifier
    package let sequence: Int64
    package let baselineRoot: SHA512Digest
    package let targetRoot: SHA512Digest
    /// What it builds upon and is not there, sorted by path.
    package let missing: [FileReference]

    private static let document = "request for a filler"

    package init(
        request: Identifier, destination: Identifier, origin: Identifier, created: Timestamp, bundle: Identifier, sequence: Int64,
        baselineRoot: SHA512Digest, targetRoot: SHA512Digest, missing: [FileReference]
    ) {
        self.request = request
        self.destination = destination
        self.origin = origin
        self.created = created
        self.bundle = bundle
        self.sequence = sequence
        self.baselineRoot = baselineRoot
        self.targetRoot = targetRoot
        self.missing = missing
    }

    package var value: JSONValue {
        [
            "type": "ferry.gap", "formatVersion": 1, "request": .string(request.text), "destination": .string(destination.text),
            "origin": .string(origin.text), "created": .string(created.description), "bundle": .string(bundle.text),
            "sequence": .integer(sequence), "baselineRoot": .string(baselineRoot.hex), "targetRoot": .string(targetRoot.hex),
            "missing": .array(missing.map(\.json)),
        ]
    }

    package var trustedComment: String { "ferry request=\(request) destination=\(destination) origin=\(origin)" }
    package var fileName: String { "\(request).json" }

    package init(parsing bytes: [UInt8]) throws(DocumentError) {
        var object = try StrictObject(parsing: bytes, document: Self.document)
        try object.header(type: "ferry.gap", version: 1)
        request = try object.take("request") { $0.string.flatMap { Identifier($0, .request) } }
        destination = try object.take("destination") { $0.string.flatMap { Identifier($0, .destination) } }
        origin = try object.take("origin") { $0.string.flatMap { Identifier($0, .origin) } }
        created = try object.take("created") { $0.string.flatMap { Timestamp($0) } }
        bundle = try object.take("bundle") { $0.string.flatMap { Identifier($0, .bundle) } }
        sequence = try object.integer("sequence", in: 1...9_007_199_254_740_991)
        baselineRoot = try object.take("baselineRoot") { $0.string.flatMap { SHA512Digest(hex: $0) } }
        targetRoot = try object.take("targetRoot") { $0.string.flatMap { SHA512Digest(hex: $0) } }
        missing = try object.files("missing")
        try object.finish()
        try refuse(unlessCanonical: bytes, Self.document)
    }
}

/// Either kind of request.
package enum Request: Sendable, Hashable {
    case want(WantRequest)
    case gap(GapRequest)

    /// Opens a request of either kind, by what it says it is.
    ///
    /// - Throws: as `SignedReply.open`.
    package init(_ reply: SignedReply, signedBy key: MinisignPublicKey) throws {
        switch try Self.header(of: reply.bytes).type {
        case "ferry.gap": self = .gap(try reply.open(GapRequest.self, signedBy: key))
        default: self = .want(try reply.open(WantRequest.self, signedBy: key))
        }
    }

    package var id: Identifier {
        switch self {
        case .want(let request): request.request
        case .gap(let request): request.request
        }
    }

    package var destination: Identifier {
        switch self {
        case .want(let request): request.destination
        case .gap(let request): request.destination
        }
    }

    package var origin: Identifier {
        switch self {
        case .want(let request): request.origin
        case .gap(let request): request.origin
        }
    }

    package var created: Timestamp {
        switch self {
        case .want(let request): request.created
        case .gap(let request): request.created
        }
    }

    private static func header(of bytes: [UInt8]) throws(DocumentError) -> (type: String, destination: Identifier?) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(bytes, mode: .strict) } catch {
            throw DocumentError("request", error.description)
        }
        return (value.object?["type"]?.string ?? "", value.object?["destination"]?.string.flatMap { Identifier($0, .destination) })
    }

    /// Whom a document says it is from, which nothing proves; `nil` where it does not say.
    package static func claimedDestination(of reply: SignedReply) -> Identifier? { (try? header(of: reply.bytes))?.destination }
}
