package import CanonicalJSON

/// What a request may say in its path or its query: read and refused by its declaration, and documented by it.
package struct ParameterDeclaration: Sendable {
    package enum Place: String, Sendable { case path, query }

    package let name: String
    package let place: Place
    package let schema: Schema
    package let summary: String
    /// What counts where it is not given; `nil` where nothing does.
    package let defaultValue: JSONValue?
    package let isRequired: Bool

    /// The value that a text stands for.
    ///
    /// Numbers and truth values have one spelling.
    /// - Throws: `Problem` that names the parameter and what it may be.
    func value(of text: String) throws(Problem) -> JSONValue {
        let value: JSONValue? =
            switch schema {
            case .integer: Int64(text).flatMap { "\($0)" == text && $0.magnitude < 9_007_199_254_740_992 ? .integer($0) : nil }
            case .boolean: text == "true" ? true : text == "false" ? false : nil
            default: .string(text)
            }
        guard let value, schema.violation(of: value) == nil else { throw refusal(of: text) }
        return value
    }

    private func refusal(of text: String) -> Problem {
        let shown = text.unicodeScalars.count > 60 ? "\(String(text.unicodeScalars.prefix(60)))…" : text
        return Problem(
            .invalidParameter, "\"\(name)\" must be \(schema.words), not \"\(shown)\"",
            members: ["parameter": .string(name), "allowed": .string(schema.words)])
    }
}

/// A parameter whose value is of a type of its own.
package struct Parameter<Value: Sendable>: Sendable {
    package let declaration: ParameterDeclaration
    /// `nil` for a value that fits the schema and names nothing.
    let convert: @Sendable (JSONValue) -> Value?

    private init(_ declaration: ParameterDeclaration, convert: @escaping @Sendable (JSONValue) -> Value?) {
        self.declaration = declaration
        self.convert = convert
    }

    /// A part of the path; what fits the schema and is nothing to `parse` is not found.
    package static func path(
        _ name: String, _ schema: Schema, _ summary: String, parse: @escaping @Sendable (String) -> Value?
    ) -> Parameter {
        Parameter(
            ParameterDeclaration(name: name, place: .path, schema: schema, summary: summary, defaultValue: nil, isRequired: true),
            convert: { $0.string.flatMap(parse) })
    }

    /// A text of the query that must be given.
    package static func query(
        required name: String, _ schema: Schema, _ summary: String, parse: @escaping @Sendable (String) -> Value?
    ) -> Parameter {
        Parameter(
            ParameterDeclaration(name: name, place: .query, schema: schema, summary: summary, defaultValue: nil, isRequired: true),
            convert: { $0.string.flatMap(parse) })
    }

    private static func optional(
        _ name: String, _ schema: Schema, _ summary: String, _ defaultValue: JSONValue?, convert: @escaping @Sendable (JSONValue) -> Value?
    ) -> Parameter {
        Parameter(
            ParameterDeclaration(
                name: name, place: .query, schema: schema, summary: summary, defaultValue: defaultValue, isRequired: false),
            convert: convert)
    }
}

extension Parameter where Value == Int {
    /// An integer of the query.
    package static func integer(_ name: String, in range: ClosedRange<Int64>, default value: Int64, _ summary: String) -> Parameter {
        optional(name, .integer(range), summary, .integer(value)) { $0.integer.map { Int($0) } }
    }
}

extension Parameter where Value == JSONValue? {
    /// A value of the query as its schema has it; `nil` where it is not given.
    package static func value(_ name: String, _ schema: Schema, _ summary: String) -> Parameter {
        optional(name, schema, summary, nil) { $0 == .null ? .some(nil) : .some($0) }
    }
}

extension Parameter where Value == Bool? {
    /// A truth value of the query; `nil` where it is not given.
    package static func boolean(_ name: String, _ summary: String) -> Parameter {
        optional(name, .boolean, summary, nil) { $0 == .null ? .some(nil) : $0.bool.map { .some($0) } }
    }
}

extension Parameter where Value == Bool {
    /// A truth value of the query.
    package static func boolean(_ name: String, default value: Bool, _ summary: String) -> Parameter {
        optional(name, .boolean, summary, .bool(value), convert: \.bool)
    }
}

extension Parameter where Value == String {
    /// A text of the query; empty where it is not given.
    package static func text(_ name: String, _ schema: Schema, _ summary: String) -> Parameter {
        optional(name, schema, summary, "", convert: \.string)
    }
}

extension Parameter where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// A word of the query.
    package static func choice(_ name: String, default word: Value, _ summary: String) -> Parameter {
        optional(name, .choice(Value.allCases.map(\.rawValue)), summary, .string(word.rawValue)) { value in
            value.string.flatMap { Value(rawValue: $0) }
        }
    }
}

extension Parameter {
    /// A text of the query that stands for something; `nil` where it is not given.
    package static func optional<Wrapped: Sendable>(
        _ name: String, _ schema: Schema, _ summary: String, parse: @escaping @Sendable (String) -> Wrapped?
    ) -> Parameter where Value == Wrapped? {
        optional(name, schema, summary, nil) { $0 == .null ? .some(nil) : $0.string.flatMap(parse).map { .some($0) } }
    }

    /// A word of the query; `nil` where it is not given.
    package static func choice<Word: RawRepresentable & CaseIterable & Sendable>(
        _ name: String, _ summary: String
    ) -> Parameter where Word.RawValue == String, Value == Word? {
        optional(name, .choice(Word.allCases.map(\.rawValue)), summary, nil) { value in
            value == .null ? .some(nil) : value.string.flatMap { Word(rawValue: $0) }.map { .some($0) }
        }
    }
}

extension Parameter {
    /// A word of the query that stands for something.
    package static func word(_ name: String, _ words: [(word: String, value: Value)], default word: String, _ summary: String) -> Parameter
    {
        optional(name, .choice(words.map(\.word)), summary, .string(word)) { value in words.first { .string($0.word) == value }?.value }
    }
}
