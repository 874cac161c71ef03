package import CanonicalJSON

/// What a JSON value may be: written into the document of the service, and held against what comes in.
package indirect enum Schema: Sendable {
    /// A member of an object.
    package struct Member: Sendable {
        package let name: String
        package let schema: Schema
        package let summary: String?
        package let isRequired: Bool

        /// - Parameter summary: what it means, where its name does not say.
        package init(_ name: String, _ schema: Schema, _ summary: String? = nil, isRequired: Bool = true) {
            self.name = name
            self.schema = schema
            self.summary = summary
            self.isRequired = isRequired
        }
    }

    /// Any text.
    ///
    /// Lengths are in characters of Unicode; a pattern is a regular expression of ECMA-262 that stands for itself (`^…$`); a format is one
    /// of JSON Schema's words, and says only what the pattern already holds.
    case string(pattern: String? = nil, format: String? = nil, minLength: Int? = nil, maxLength: Int? = nil)
    /// One of these words.
    case choice([String])
    case integer(ClosedRange<Int64>, multipleOf: Int64 = 1)
    case number(minimum: Double? = nil, maximum: Double? = nil)
    case boolean
    case null
    case array(Schema, maxItems: Int? = nil)
    /// Exactly these members.
    case object([Member])
    /// Any object.
    case anyObject
    /// Members of any name, whose values are alike.
    case dictionary(Schema)
    case either([Schema])
    /// A schema that the document has once, under a name.
    case named(String, Schema)

    /// A count or a number of bytes.
    package static let count = Schema.integer(0...9_007_199_254_740_991)

    /// This, or `null`.
    package var orNull: Schema { .either([self, .null]) }

    /// The schema as JSON Schema 2020-12; a named one is referred to.
    package var json: JSONValue {
        var members: [(name: String, value: JSONValue?)] = []
        switch self {
        case .string(let pattern, let format, let minLength, let maxLength):
            members = [
                ("type", "string"), ("pattern", pattern.map { .string($0) }), ("format", format.map { .string($0) }),
                ("minLength", minLength.map { .integer($0) }), ("maxLength", maxLength.map { .integer($0) }),
            ]
        case .choice(let words): members = [("type", "string"), ("enum", .array(words.map { .string($0) }))]
        case .integer(let range, let step):
            members = [
                ("type", "integer"), ("minimum", .integer(range.lowerBound)), ("maximum", .integer(range.upperBound)),
                ("multipleOf", step == 1 ? nil : .integer(step)),
            ]
        case .number(let minimum, let maximum):
            members = [("type", "number"), ("minimum", minimum.map { .number($0) }), ("maximum", maximum.map { .number($0) })]
        case .boolean: members = [("type", "boolean")]
        case .null: members = [("type", "null")]
        case .array(let element, let maxItems):
            members = [("type", "array"), ("items", element.json), ("maxItems", maxItems.map { .integer($0) })]
        case .object(let list):
            let properties = list.map { member in (name: member.name, value: member.json) }
            members = [
                ("type", "object"), ("properties", .object(JSONObject(uniqueMembers: properties))),
                ("required", .array(list.filter(\.isRequired).map { .string($0.name) })), ("additionalProperties", false),
            ]
        case .anyObject: members = [("type", "object")]
        case .dictionary(let value): members = [("type", "object"), ("additionalProperties", value.json)]
        case .either(let schemas): members = [("anyOf", .array(schemas.map(\.json)))]
        case .named(let name, _): members = [("$ref", .string("#/components/schemas/\(name)"))]
        }
        return .object(JSONObject(uniqueMembers: members.compactMap { name, value in value.map { (name: name, value: $0) } }))
    }

    /// The named schemas in it, and what they stand for.
    func collectNamed(into found: inout [String: JSONValue]) {
        switch self {
        case .array(let inner, _), .dictionary(let inner): inner.collectNamed(into: &found)
        case .object(let members): for member in members { member.schema.collectNamed(into: &found) }
        case .either(let schemas): for schema in schemas { schema.collectNamed(into: &found) }
        case .named(let name, let schema):
            found[name] = schema.json
            schema.collectNamed(into: &found)
        case .string, .choice, .integer, .number, .boolean, .null, .anyObject: break
        }
    }

    /// What is wrong with a value, in words, and where in it; `nil` where it is what the schema says.
    package func violation(of value: JSONValue, at place: String = "") -> String? {
        let name = place.isEmpty ? "it" : "\"\(place)\""
        switch (self, value) {
        case (.named(_, let schema), _): return schema.violation(of: value, at: place)
        case (.either(let schemas), _):
            let found = schemas.map { $0.violation(of: value, at: place) }
            return found.contains(nil) ? nil : found.first ?? nil
        case (.string(let pattern, _, let minLength, let maxLength), .string(let text)):
            return Self.violation(of: text, pattern, minLength, maxLength).map { "\(name) \($0)" }
        case (.choice(let words), .string(let text)):
            return words.contains(text) ? nil : "\(name) is none of \(words.joined(separator: ", "))"
        case (.integer(let range, let step), .number):
            guard let number = value.integer else { return "\(name) is no integer" }
            guard number % step == 0 else { return "\(name) is no multiple of \(step)" }
            return range.contains(number) ? nil : "\(name) is not from \(range.lowerBound) to \(range.upperBound)"
        case (.number(let minimum, let maximum), .number(let number)):
            return number >= minimum ?? number && number <= maximum ?? number ? nil : "\(name) is out of its bounds"
        case (.boolean, .bool), (.null, .null), (.anyObject, .object): return nil
        case (.array(let element, let maxItems), .array(let elements)):
            if let maxItems, elements.count > maxItems { return "\(name) has more than \(maxItems) elements" }
            return elements.enumerated().lazy.compactMap { element.violation(of: $0.element, at: "\(place)[\($0.offset)]") }.first
        case (.object(let members), .object(let object)): return Self.violation(of: object, members, at: place)
        case (.dictionary(let schema), .object(let object)):
            return object.members.lazy.compactMap { schema.violation(of: $0.value, at: Self.join(place, $0.name)) }.first
        default: return "\(name) is not \(words)"
        }
    }

    private static func violation(of text: String, _ pattern: String?, _ minLength: Int?, _ maxLength: Int?) -> String? {
        let length = text.unicodeScalars.count
        if let maxLength, length > maxLength { return "is longer than \(maxLength)" }
        if let minLength, length < minLength { return "is shorter than \(minLength)" }
        guard let pattern else { return nil }
        // `$` of Swift also stands before a last line feed.
        guard !text.utf8.contains(where: { $0 < 0x20 }), let regex = try? Regex(pattern), text.firstMatch(of: regex) != nil else {
            return "does not match \(pattern)"
        }
        return nil
    }

    private static func violation(of object: JSONObject, _ members: [Member], at place: String) -> String? {
        for (name, value) in object.members {
            guard let member = members.first(where: { $0.name == name }) else {
                return "\"\(join(place, name))\" is unknown; known are \(members.map(\.name).joined(separator: ", "))"
            }
            if let violation = member.schema.violation(of: value, at: join(place, name)) { return violation }
        }
        for member in members where member.isRequired && object[member.name] == nil {
            return "\"\(join(place, member.name))\" is missing"
        }
        return nil
    }

    private static func join(_ place: String, _ name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }

    /// What it stands for, in words.
    package var words: String {
        switch self {
        case .string(let pattern, _, _, let maxLength):
            "a text" + (maxLength.map { " of at most \($0) characters" } ?? "") + (pattern.map { " that matches \($0)" } ?? "")
        case .choice(let words): "one of \(words.joined(separator: ", "))"
        case .integer(let range, let step):
            "\(step == 1 ? "an integer" : "a multiple of \(step)") from \(range.lowerBound) to \(range.upperBound)"
        case .number: "a number"
        case .boolean: "true or false"
        case .null: "null"
        case .array: "an array"
        case .object, .anyObject, .dictionary: "an object"
        case .either(let schemas): schemas.map(\.words).joined(separator: " or ")
        case .named(_, let schema): schema.words
        }
    }
}

extension Schema.Member {
    fileprivate var json: JSONValue {
        guard let summary, var object = schema.json.object else { return schema.json }
        object["description"] = .string(summary)
        return .object(object)
    }
}
