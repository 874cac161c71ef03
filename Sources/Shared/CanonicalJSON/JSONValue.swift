/// A JSON value as JavaScript sees it: numbers are doubles, an object has each name once.
///
/// Texts and names are the same when their code points are: Swift's own equality would take composed and decomposed letters for one.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The text of a string; `nil` for any other value.
    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The members of an object; `nil` for any other value.
    package var object: JSONObject? {
        if case .object(let object) = self { object } else { nil }
    }

    /// The elements of an array; `nil` for any other value.
    package var array: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// A number that is an integer a double holds exactly; `nil` for any other value.
    package var integer: Int64? {
        guard case .number(let number) = self, number.magnitude < 9_007_199_254_740_992, number.rounded() == number else { return nil }
        return Int64(number)
    }

    /// The truth value; `nil` for any other value.
    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    package static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.string(let a), .string(let b)): JSONName(a) == JSONName(b)
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a == b
        default: false
        }
    }

    /// A number made from an integer below 2^53.
    package static func integer(_ value: some BinaryInteger) -> JSONValue { .number(Double(value)) }
}

/// A text that is equal to another when its code points are.
struct JSONName: Hashable {
    private let text: String

    init(_ text: String) { self.text = text }

    static func == (left: JSONName, right: JSONName) -> Bool {
        left.text == right.text && left.text.utf8.elementsEqual(right.text.utf8)
    }

    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

/// The members of a JSON object, in the order they were put in.
///
/// Equality ignores the order.
package struct JSONObject: Sendable, Equatable {
    /// The members; no name stands twice.
    package private(set) var members: [(name: String, value: JSONValue)] = []

    package init() {}

    /// An object of these members, whose names must differ.
    package init(uniqueMembers members: [(name: String, value: JSONValue)]) {
        self.members = members
    }

    /// The member of that name; setting `nil` removes it.
    package subscript(name: String) -> JSONValue? {
        get { members.first { JSONName($0.name) == JSONName(name) }?.value }
        set {
            let index = members.firstIndex { JSONName($0.name) == JSONName(name) }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append((name, value))
            case (nil, nil): break
            }
        }
    }

    /// The members by name, for many look-ups of names that are ASCII.
    package var dictionary: [String: JSONValue] {
        Dictionary(members.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
    }

    private var named: [JSONName: JSONValue] {
        Dictionary(members.map { (JSONName($0.name), $0.value) }, uniquingKeysWith: { _, last in last })
    }

    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.count == right.members.count && left.named == right.named
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(uniqueMembers: elements.map { (name: $0.0, value: $0.1) }))
    }
}
