import CanonicalJSON
package import Integrity
package import Platform
package import Snapshots
package import SystemPackage

/// The public keys this destination trusts: `trust.json` of its state.
///
/// Each is bound to one origin.
package struct TrustStore: Sendable {
    /// A key that is trusted, or was.
    package struct Entry: Sendable, Hashable {
        package let key: MinisignPublicKey
        package let origin: Identifier
        package var isRetired: Bool
    }

    package private(set) var entries: [Entry]
    /// How many different keys must have signed.
    package private(set) var threshold: Int
    /// How many may be asked for.
    package static let thresholds = 1...16
    private static let document = "trust store"

    package init(threshold: Int = 1) {
        entries = []
        self.threshold = threshold
    }

    /// Reads the store; `nil` where there is none.
    ///
    /// A store that cannot be read is an error, never an empty one.
    package init?(contentsOf path: FilePath) throws {
        guard let bytes = try DiskFileSystem().contents(of: path, limit: 1 << 20) else { return nil }
        var object = try StrictObject(parsing: bytes, document: Self.document)
        try object.header(type: "ferry.trust", version: 1)
        threshold = Int(try object.integer("threshold", in: Int64(Self.thresholds.lowerBound)...Int64(Self.thresholds.upperBound)))
        entries = []
        for value in try object.take("keys", \.array) {
            var entry = try StrictObject(value, document: Self.document)
            let key = try entry.take("key") { $0.string.flatMap { try? MinisignPublicKey(text: $0) } }
            let origin = try entry.take("origin") { $0.string.flatMap { Identifier($0, .origin) } }
            entries.append(Entry(key: key, origin: origin, isRetired: try entry.take("retired", \.bool)))
            try entry.finish()
        }
        try object.finish()
    }

    /// Trusts a key for an origin.
    package mutating func add(_ key: MinisignPublicKey, origin: Identifier) {
        entries.removeAll { $0.key == key && $0.origin == origin }
        entries.append(Entry(key: key, origin: origin, isRetired: false))
    }

    /// Trusts the keys of that id no more; `false` where there is none.
    package mutating func retire(_ id: String) -> Bool {
        var isFound = false
        for index in entries.indices where entries[index].key.keyID.description == id {
            entries[index].isRetired = true
            isFound = true
        }
        return isFound
    }

    /// Asks for the signatures of so many different keys from now on.
    package mutating func require(_ count: Int) {
        precondition(Self.thresholds.contains(count))
        threshold = count
    }

    /// The origins of which fewer keys are trusted than must sign, with how many are: nothing of theirs can be imported.
    package var shut: [(origin: Identifier, keys: Int)] {
        Set(entries.map(\.origin)).sorted { $0.text < $1.text }.map { ($0, keys(of: $0).count) }.filter { $0.keys < threshold }
    }

    /// The keys an origin may sign with.
    package func keys(of origin: Identifier) -> [MinisignPublicKey] {
        entries.filter { $0.origin == origin && !$0.isRetired }.map(\.key)
    }

    /// Writes the store in one step.
    package func write(to path: FilePath) throws(FileSystemError) {
        let value: JSONValue = [
            "type": "ferry.trust", "formatVersion": 1, "threshold": .integer(threshold),
            "keys": .array(
                entries.map { ["key": .string($0.key.base64), "origin": .string($0.origin.text), "retired": .bool($0.isRetired)] }),
        ]
        try DiskFileSystem().replace(path, with: value.canonicalBytes + [0x0A])
    }
}
