import Yams

/// A value of a YAML document, and where it stands.
package struct YAMLNode: Sendable {
    /// What a value can be.
    package enum Content: Sendable {
        /// A text without its quotes; only a plain one, which had none, can be a number, a truth value or null.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        /// Keys and values in the order of the document; no key stands twice.
        case mapping([(key: YAMLNode, value: YAMLNode)])
    }

    package let content: Content
    /// The line it begins on, the first being 1.
    package let line: Int

    /// The text of a scalar; `nil` for any other value.
    package var text: String? {
        if case .scalar(let text, _) = content { text } else { nil }
    }

    /// The elements of a sequence; `nil` for any other value.
    package var elements: [YAMLNode]? {
        if case .sequence(let elements) = content { elements } else { nil }
    }

    /// The members of a mapping; `nil` for any other value.
    package var members: [(key: YAMLNode, value: YAMLNode)]? {
        if case .mapping(let members) = content { members } else { nil }
    }

    /// Whether this is a value that was left out, as that of `key:` is.
    package var isEmpty: Bool {
        if case .scalar("", isPlain: true) = content { true } else { false }
    }

    /// A plain scalar that is an integer in a notation of YAML 1.1; `nil` for any other value.
    package var integer: Int? { plain.flatMap(Int.construct) }

    /// A plain scalar that is `true`, `yes`, `on` or one of their opposites; `nil` for any other value.
    package var bool: Bool? { plain.flatMap(Bool.construct) }

    /// The value of that key; `nil` where there is none, and where this is no mapping.
    package subscript(key: String) -> YAMLNode? { members?.first { $0.key.text == key }?.value }

    private var plain: Node.Scalar? {
        if case .scalar(let text, isPlain: true) = content { Node.Scalar(text, .implicit, .plain) } else { nil }
    }
}
