/// What a document of ours says that its format does not allow.
package struct DocumentError: Error, Equatable, CustomStringConvertible {
    /// Which document, such as `descriptor`.
    package let document: String
    /// What is wrong with it.
    package let reason: String
    /// Whether nothing is wrong with it but that a newer program wrote it.
    package let isNewer: Bool

    package init(_ document: String, _ reason: String, isNewer: Bool = false) {
        self.document = document
        self.reason = reason
        self.isNewer = isNewer
    }

    package var description: String { isNewer ? "the \(document) \(reason)" : "the \(document) is not one: \(reason)" }
}

/// An object of a document of ours, read member by member; what was not asked for is refused at the end.
package struct StrictObject {
    /// Which document this belongs to, for messages.
    package let document: String
    private var rest: [String: JSONValue]

    /// Takes a parsed value that must be an object.
    package init(_ value: JSONValue, document: String) throws(DocumentError) {
        guard let object = value.object else { throw DocumentError(document, "an object was expected") }
        self.document = document
        rest = object.dictionary
    }

    /// Parses bytes that must be one object, in `JSONParser.Mode.strict`.
    package init(parsing bytes: [UInt8], document: String) throws(DocumentError) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(bytes, mode: .strict) } catch {
            throw DocumentError(document, error.description)
        }
        try self.init(value, document: document)
    }

    /// The member of that name, which must be there and convert.
    package mutating func take<Value>(_ name: String, _ convert: (JSONValue) -> Value?) throws(DocumentError) -> Value {
        guard let value = rest.removeValue(forKey: name) else { throw DocumentError(document, "\"\(name)\" is missing") }
        guard let result = convert(value) else { throw DocumentError(document, "\"\(name)\" is not what it should be") }
        return result
    }

    /// The member of that name, or `nil` where there is none; it must convert.
    package mutating func takeOptional<Value>(
        _ name: String, _ convert: (JSONValue) -> Value?
    ) throws(DocumentError) -> Value? {
        rest[name] == nil ? nil : try take(name, convert)
    }

    /// A string.
    package mutating func string(_ name: String) throws(DocumentError) -> String { try take(name, \.string) }

    /// An integer in a range.
    package mutating func integer(
        _ name: String, in range: ClosedRange<Int64> = 0...9_007_199_254_740_991
    ) throws(DocumentError) -> Int64 {
        try take(name) { value in value.integer.flatMap { range.contains($0) ? $0 : nil } }
    }

    /// An object, to be read and finished by itself.
    package mutating func object(_ name: String) throws(DocumentError) -> StrictObject {
        try StrictObject(take(name) { $0 }, document: document)
    }

    /// Reads `type` and `formatVersion`, and refuses what is not expected by name; a newer version is `DocumentError.isNewer`.
    package mutating func header(type expected: String, version: Int64) throws(DocumentError) {
        let type = try string("type")
        guard type == expected else { throw DocumentError(document, "its type is \"\(type)\", not \"\(expected)\"") }
        let found = try integer("formatVersion")
        guard found <= version else {
            throw DocumentError(
                document, "is of format version \(found), from a newer program; this one reads version \(version)", isNewer: true)
        }
        guard found == version else {
            throw DocumentError(document, "its format version is \(found); this program reads version \(version)")
        }
    }

    /// Ends reading; a member that was not asked for is refused.
    package func finish() throws(DocumentError) {
        if let name = rest.keys.min() { throw DocumentError(document, "the member \"\(name)\" is unknown") }
    }
}
