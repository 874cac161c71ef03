package import CanonicalJSON

extension JSONValue {
    /// A text, or `null` for none.
    package static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
}
