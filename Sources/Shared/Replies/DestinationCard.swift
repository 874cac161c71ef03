package import CanonicalJSON
package import Integrity
package import Platform
package import Snapshots

/// What a destination says of itself (FORMAT.md §14.1).
package struct DestinationCard: Reply {
    package let destination: Identifier
    /// What people call it.
    package let name: String
    package let key: MinisignPublicKey
    package let created: Timestamp

    private static let document = "card of the destination"

    package init(destination: Identifier, name: String, key: MinisignPublicKey, created: Timestamp) {
        self.destination = destination
        self.name = name
        self.key = key
        self.created = created
    }

    /// Whether a destination can be called so: 1 to 100 bytes without control characters.
    package static func isName(_ text: String) -> Bool {
        (1...100).contains(text.utf8.count) && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }

    package var value: JSONValue {
        [
            "type": "ferry.destination", "formatVersion": 1, "destination": .string(destination.text), "origin": "any",
            "name": .string(name), "key": .string(key.base64), "created": .string(created.description),
        ]
    }

    package var trustedComment: String { "ferry destination=\(destination)" }
    package var fileName: String { "\(destination).json" }

    package init(parsing bytes: [UInt8]) throws(DocumentError) {
        var object = try StrictObject(parsing: bytes, document: Self.document)
        try object.header(type: "ferry.destination", version: 1)
        destination = try object.take("destination") { $0.string.flatMap { Identifier($0, .destination) } }
        _ = try object.take("origin") { $0.string == "any" ? true : nil }
        name = try object.take("name") { $0.string.flatMap { Self.isName($0) ? $0 : nil } }
        key = try object.take("key") { $0.string.flatMap { try? MinisignPublicKey(text: $0) } }
        created = try object.take("created") { $0.string.flatMap { Timestamp($0) } }
        try object.finish()
        try refuse(unlessCanonical: bytes, Self.document)
    }
}
