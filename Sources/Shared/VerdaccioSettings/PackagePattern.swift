/// A pattern of Verdaccio's `packages`, matched as minimatch does: `**`, `*`, `?`, `[…]`, `{a,b}`, `!`.
struct PackagePattern {
    private let alternatives: [[[Character]]]
    private let isNegated: Bool

    init(_ pattern: String) {
        isNegated = pattern.hasPrefix("!")
        let body = isNegated ? String(pattern.dropFirst()) : pattern
        alternatives = Self.expand(Array(body)).map { alternative in
            alternative.split(separator: "/", omittingEmptySubsequences: false).map(Array.init)
        }
    }

    func matches(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(Array.init)
        let isMatch = alternatives.contains { Self.matches($0[...], parts[...]) }
        return isMatch != isNegated
    }

    /// Braces first, as minimatch does.
    private static func expand(_ pattern: [Character]) -> [[Character]] {
        var depth = 0
        var start: Int?
        var commas: [Int] = []
        for (index, character) in pattern.enumerated() {
            switch character {
            case "{":
                if depth == 0 {
                    start = index
                    commas = []
                }
                depth += 1
            case ",": if depth == 1 { commas.append(index) }
            case "}":
                if depth > 0 { depth -= 1 }
                guard depth == 0, let open = start, !commas.isEmpty else { continue }
                let ends = commas + [index]
                let begins = [open + 1] + commas.map { $0 + 1 }
                return zip(begins, ends).flatMap { begin, end in
                    expand(Array(pattern[..<open] + pattern[begin..<end] + pattern[(index + 1)...]))
                }
            default: break
            }
        }
        return [pattern]
    }

    private static func matches(_ pattern: ArraySlice<[Character]>, _ parts: ArraySlice<[Character]>) -> Bool {
        guard let first = pattern.first else { return parts.isEmpty }
        if first == ["*", "*"] {
            if pattern.count == 1 { return parts.allSatisfy { $0.first != "." } && !parts.isEmpty }
            return (0...parts.count).contains { count in
                parts.prefix(count).allSatisfy { $0.first != "." } && matches(pattern.dropFirst(), parts.dropFirst(count))
            }
        }
        guard let part = parts.first else { return false }
        return matchesPart(first[...], part[...], isStart: true) && matches(pattern.dropFirst(), parts.dropFirst())
    }

    private static func matchesPart(_ pattern: ArraySlice<Character>, _ text: ArraySlice<Character>, isStart: Bool) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let isHidden = isStart && text.first == "."
        switch first {
        case "*":
            if isHidden { return false }
            let rest = pattern.drop { $0 == "*" }
            if isStart, rest.isEmpty, text.isEmpty { return false }
            return (0...text.count).contains { matchesPart(rest, text.dropFirst($0), isStart: false) }
        case "?": return !isHidden && !text.isEmpty && matchesPart(pattern.dropFirst(), text.dropFirst(), isStart: false)
        case "[":
            guard let end = pattern.dropFirst(2).firstIndex(of: "]"), let character = text.first, !isHidden else { return false }
            var set = pattern[(pattern.startIndex + 1)..<end]
            let isNegated = set.first == "!" || set.first == "^"
            if isNegated { set = set.dropFirst() }
            guard contains(Array(set), character) != isNegated else { return false }
            return matchesPart(pattern[(end + 1)...], text.dropFirst(), isStart: false)
        default: return text.first == first && matchesPart(pattern.dropFirst(), text.dropFirst(), isStart: false)
        }
    }

    private static func contains(_ set: [Character], _ character: Character) -> Bool {
        var index = 0
        while index < set.count {
            if index + 2 < set.count, set[index + 1] == "-" {
                if set[index] <= character, character <= set[index + 2] { return true }
                index += 3
            } else {
                if set[index] == character { return true }
                index += 1
            }
        }
        return false
    }
}
