package import CanonicalJSON
package import Integrity
package import PackageStore
package import Platform
package import Snapshots

/// A file by its path and content.
package struct FileReference: Sendable, Hashable {
    package let path: StorePath
    package let digest: SHA512Digest

    package init(_ path: StorePath, _ digest: SHA512Digest) {
        self.path = path
        self.digest = digest
    }
}

/// What a destination says of what one origin gave it (FORMAT.md §14.2).
package struct Receipt: Reply {
    /// The newest state that the destination was brought to.
    package struct Applied: Sendable, Hashable {
        package let bundle: Identifier
        package let sequence: Int64
        package let targetRoot: SHA512Digest

        package init(bundle: Identifier, sequence: Int64, targetRoot: SHA512Digest) {
            self.bundle = bundle
            self.sequence = sequence
            self.targetRoot = targetRoot
        }
    }

    /// What became of a bundle.
    package struct Import: Sendable, Hashable {
        package enum Result: String, Sendable { case applied, rolledBack = "rolled-back" }

        package let bundle: Identifier
        package let sequence: Int64
        package let result: Result

        package init(bundle: Identifier, sequence: Int64, result: Result) {
            self.bundle = bundle
            self.sequence = sequence
            self.result = result
        }
    }

    /// A file that was offered and is not wanted.
    package struct Refusal: Sendable, Hashable {
        package let file: FileReference
        /// Why, as a word of the isolated side.
        package let outcome: String

        package init(_ file: FileReference, outcome: String) {
            self.file = file
            self.outcome = outcome
        }
    }

    /// Largest document in bytes, and longest lists in it (FORMAT.md §2).
    package static let sizeLimit = 64 << 20
    package static let fileLimit = 200_000
    package static let importLimit = 1000

    package let destination: Identifier
    package let origin: Identifier
    package let counter: Int64
    package let created: Timestamp
    /// `nil` where nothing is acknowledged.
    package let applied: Applied?
    /// Newest first.
    package let imports: [Import]
    /// What the applied state holds and the destination does not, sorted by path.
    package let missing: [FileReference]
    /// Sorted by path.
    package let refused: [Refusal]

    private static let document = "receipt"

    package init(
        destination: Identifier, origin: Identifier, counter: Int64, created: Timestamp, applied: Applied?, imports: [Import],
        missing: [FileReference], refused: [Refusal]
    ) {
        self.destination = destination
        self.origin = origin
        self.counter = counter
        self.created = created
        self.applied = applied
        self.imports = imports
        self.missing = missing
        self.refused = refused
    }

    package var value: JSONValue {
        [
            "type": "ferry.receipt", "formatVersion": 1, "destination": .string(destination.text), "origin": .string(origin.text),
            "counter": .integer(counter), "created": .string(created.description),
            "applied": applied.map {
                [
                    "bundle": .string($0.bundle.text), "sequence": .integer($0.sequence), "targetRoot": .string($0.targetRoot.hex),
                ]
            } ?? .null,
            "imports": .array(
                imports.map {
                    ["bundle": .string($0.bundle.text), "sequence": .integer($0.sequence), "result": .string($0.result.rawValue)]
                }),
            "missing": .array(missing.map(\.json)),
            "refused": .array(
                refused.map {
                    [
                        "path": .string($0.file.path.description), "sha512": .string($0.file.digest.hex), "outcome": .string($0.outcome),
                    ]
                }),
        ]
    }

    package var trustedComment: String { "ferry receipt destination=\(destination) origin=\(origin) counter=\(counter)" }
    package var fileName: String { "\(destination).\(origin).\(counter).json" }

    package init(parsing bytes: [UInt8]) throws(DocumentError) {
        var object = try StrictObject(parsing: bytes, document: Self.document)
        try object.header(type: "ferry.receipt", version: 1)
        destination = try object.take("destination") { $0.string.flatMap { Identifier($0, .destination) } }
        origin = try object.take("origin") { $0.string.flatMap { Identifier($0, .origin) } }
        counter = try object.integer("counter", in: 1...9_007_199_254_740_991)
        created = try object.take("created") { $0.string.flatMap { Timestamp($0) } }
        applied = try object.applied()
        imports = try object.list("imports", limit: Self.importLimit) { entry throws(DocumentError) in
            Import(
                bundle: try entry.take("bundle") { $0.string.flatMap { Identifier($0, .bundle) } },
                sequence: try entry.integer("sequence", in: 1...9_007_199_254_740_991),
                result: try entry.take("result") { $0.string.flatMap { Import.Result(rawValue: $0) } })
        }
        missing = try object.files("missing")
        refused = try object.list("refused", limit: Self.fileLimit) { entry throws(DocumentError) in
            Refusal(
                try entry.file(),
                outcome: try entry.take("outcome") { $0.string.flatMap { (1...40).contains($0.utf8.count) ? $0 : nil } })
        }
        try object.finish()
        guard zip(refused, refused.dropFirst()).allSatisfy({ $0.file.path <= $1.file.path }) else {
            throw DocumentError(Self.document, "\"refused\" is out of order")
        }
        try refuse(unlessCanonical: bytes, Self.document)
    }
}

extension FileReference {
    var json: JSONValue { ["path": .string(path.description), "sha512": .string(digest.hex)] }
}

extension StrictObject {
    /// A list of objects, each read and finished by itself.
    mutating func list<Element>(
        _ name: String, limit: Int, _ read: (inout StrictObject) throws(DocumentError) -> Element
    ) throws(DocumentError) -> [Element] {
        let values = try take(name, \.array)
        guard values.count <= limit else { throw DocumentError(document, "\"\(name)\" has more than \(limit) entries") }
        var elements: [Element] = []
        for value in values {
            var object = try StrictObject(value, document: document)
            elements.append(try read(&object))
            try object.finish()
        }
        return elements
    }

    /// A list of files, sorted by path, each once.
    mutating func files(_ name: String) throws(DocumentError) -> [FileReference] {
        let files = try list(name, limit: Receipt.fileLimit) { entry throws(DocumentError) in try entry.file() }
        guard zip(files, files.dropFirst()).allSatisfy({ $0.path < $1.path }) else {
            throw DocumentError(document, "\"\(name)\" is out of order")
        }
        return files
    }

    mutating func file() throws(DocumentError) -> FileReference {
        FileReference(
            try take("path") { $0.string.flatMap { StorePath($0) } }, try take("sha512") { $0.string.flatMap { SHA512Digest(hex: $0) } })
    }

    fileprivate mutating func applied() throws(DocumentError) -> Receipt.Applied? {
        let value = try take("applied") { $0 }
        if case .null = value { return nil }
        var object = try StrictObject(value, document: document)
        let applied = Receipt.Applied(
            bundle: try object.take("bundle") { $0.string.flatMap { Identifier($0, .bundle) } },
            sequence: try object.integer("sequence", in: 1...9_007_199_254_740_991),
            targetRoot: try object.take("targetRoot") { $0.string.flatMap { SHA512Digest(hex: $0) } })
        try object.finish()
        return applied
    }
}
