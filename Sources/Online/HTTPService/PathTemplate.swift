/// The path of an operation, with the places of its parameters: `/things/{id}/parts`.
package struct PathTemplate: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    enum Part: Sendable, Hashable {
        case literal(String)
        case parameter(String)
    }

    package let description: String
    let parts: [Part]

    package init(stringLiteral text: String) {
        description = text
        parts = text.split(separator: "/").map { part in
            part.hasPrefix("{") && part.hasSuffix("}") ? .parameter(String(part.dropFirst().dropLast())) : .literal(String(part))
        }
    }

    /// The names of its parameters.
    var names: [String] {
        parts.compactMap { part in
            if case .parameter(let name) = part { name } else { nil }
        }
    }

    /// Its parameters in these segments; `nil` where the segments are none of its paths.
    ///
    /// - Parameter scoped: parameters that may be two segments, of which the first begins with `@`.
    func match(_ segments: [String], scoped: Set<String>) -> [String: String]? {
        var values: [String: String] = [:]
        var rest = segments[...]
        for part in parts {
            guard let segment = rest.popFirst() else { return nil }
            switch part {
            case .literal(let text):
                guard segment == text else { return nil }
            case .parameter(let name):
                guard !segment.isEmpty else { return nil }
                if scoped.contains(name), segment.hasPrefix("@"), !segment.contains("/"), let second = rest.first, !second.contains("/") {
                    values[name] = "\(segment)/\(second)"
                    rest = rest.dropFirst()
                } else {
                    values[name] = segment
                }
            }
        }
        return rest.isEmpty ? values : nil
    }
}
