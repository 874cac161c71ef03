/// A range of versions as node-semver 7 reads it (classes/range.js): hyphens, `x`, `~`, `^`, comparators and `||`.
package struct VersionRange: Sendable, Hashable, CustomStringConvertible {
    package struct Options: Sendable, Hashable {
        /// Accept what npm has always accepted; parts that mean nothing are passed over.
        package var isLoose = false
        /// Let prereleases satisfy a range that does not name their release.
        package var includesPrereleases = false

        package init(isLoose: Bool = false, includesPrereleases: Bool = false) {
            self.isLoose = isLoose
            self.includesPrereleases = includesPrereleases
        }

        /// What npm resolves dependencies with.
        package static let npm = Options(isLoose: true)
        /// What npm reads `engines` with.
        package static let engines = Options(includesPrereleases: true)
    }

    private enum Comparison: Sendable, Hashable {
        case any
        case none
        /// Only while a range is read: a word that says nothing.
        case nothing
        case equal(SemanticVersion)
        case less(SemanticVersion)
        case atMost(SemanticVersion)
        case greater(SemanticVersion)
        case atLeast(SemanticVersion)

        var bound: SemanticVersion? {
            switch self {
            case .any, .none, .nothing: nil
            case .equal(let bound), .less(let bound), .atMost(let bound), .greater(let bound), .atLeast(let bound): bound
            }
        }

        func isSatisfied(by version: SemanticVersion) -> Bool {
            switch self {
            case .any, .nothing: true
            case .none: false
            case .equal(let bound): version == bound
            case .less(let bound): version < bound
            case .atMost(let bound): version <= bound
            case .greater(let bound): version > bound
            case .atLeast(let bound): version >= bound
            }
        }
    }

    /// The range as it is written, with its spaces collapsed.
    package let text: String
    /// One of these must hold, each with all its comparisons.
    private let alternatives: [[Comparison]]
    private let options: Options

    /// `*`: any version, though npm prefers `latest`.
    package static let any = VersionRange(text: "*", alternatives: [[.any]], options: .npm)

    private init(text: String, alternatives: [[Comparison]], options: Options) {
        self.text = text
        self.alternatives = alternatives
        self.options = options
    }

    /// Reads a range; `nil` for what is none.
    package init?(_ text: String, _ options: Options = .npm) {
        self.text = text.collapsingSpaces()
        self.options = options
        var alternatives: [[Comparison]] = []
        for part in self.text.split(separator: "||", omittingEmptySubsequences: false) {
            guard let comparisons = Reader(options: options).read(String(part).collapsingSpaces()) else { return nil }
            if !comparisons.isEmpty { alternatives.append(comparisons) }
        }
        guard !alternatives.isEmpty else { return nil }
        // Beside "any version" nothing else counts, not even the prereleases that it names.
        self.alternatives = alternatives.contains([.any]) ? [[.any]] : alternatives
    }

    package var description: String { text }

    /// Whether a version satisfies the range.
    package func contains(_ version: SemanticVersion) -> Bool {
        alternatives.contains { comparisons in
            guard comparisons.allSatisfy({ $0.isSatisfied(by: version) }) else { return false }
            if version.isStable || options.includesPrereleases { return true }
            // A prerelease is meant only by who names a prerelease of the same release.
            return comparisons.contains { $0.bound.map { !$0.isStable && $0.isOfSameRelease(as: version) } ?? false }
        }
    }

    /// Reads what stands between two `||`.
    private struct Reader {
        typealias Bytes = VersionGrammar.Bytes
        let options: Options

        private enum Invalid: Error { case comparator }

        /// The comparisons that must all hold; empty where loosely nothing is left, `nil` for what is no range.
        func read(_ part: String) -> [Comparison]? {
            var text = replacingHyphen(part)
            text = trimmingComparators(text)
            text = trimming(text, after: UInt8(ascii: "~"), optionally: UInt8(ascii: ">"))
            text = trimming(text, after: UInt8(ascii: "^"), optionally: nil)
            var comparisons: [Comparison] = []
            do throws(Invalid) {
                // As in JavaScript, the empty text is one empty word.
                let words = text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
                for (place, word) in words.enumerated() {
                    for comparison in try read(word: Array(word)) {
                        switch comparison {
                        // A word that comes to nothing is lost between others, and means any version at an end.
                        case .nothing where place > 0 && place < words.count - 1: break
                        case .nothing: comparisons.append(.any)
                        default: comparisons.append(comparison)
                        }
                    }
                }
            } catch { return nil }
            if comparisons.contains(.none) { return [.none] }
            let limits = comparisons.filter { $0 != .any }
            return limits.isEmpty ? Array(comparisons.prefix(1)) : limits
        }

        // MARK: The text

        /// `1.2 - 3.4.5` becomes `>=1.2.0 <=3.4.5`.
        private func replacingHyphen(_ part: String) -> [UInt8] {
            let text = Array(part.utf8)
            return text.withUnsafeBufferPointer { bytes in
                for place in bytes.indices.dropFirst().dropLast()
                where bytes[place] == UInt8(ascii: "-") && bytes[place - 1] == UInt8(ascii: " ") && bytes[place + 1] == UInt8(ascii: " ") {
                    let (low, high) = (bytes[..<(place - 1)], bytes[(place + 2)...])
                    guard let from = VersionGrammar(partial: low, isLoose: options.isLoose),
                        let to = VersionGrammar(partial: high, isLoose: options.isLoose)
                    else { continue }
                    let words = [lowerBound(from, low), upperBound(to, high)].filter { !$0.isEmpty }
                    return Array(words.joined(separator: " ").utf8)
                }
                return text
            }
        }

        private func lowerBound(_ version: VersionGrammar, _ written: Bytes) -> String {
            let lowest = options.includesPrereleases ? "-0" : ""
            guard let major = version.major else { return "" }
            guard let minor = version.minor else { return ">=\(string(major)).0.0\(lowest)" }
            guard version.patch != nil else { return ">=\(string(major)).\(string(minor)).0\(lowest)" }
            return ">=\(string(written))\(version.prerelease == nil ? lowest : "")"
        }

        private func upperBound(_ version: VersionGrammar, _ written: Bytes) -> String {
            guard let major = version.major else { return "" }
            guard let minor = version.minor else { return "<\(next(major)).0.0-0" }
            guard let patch = version.patch else { return "<\(string(major)).\(next(minor)).0-0" }
            if let prerelease = version.prerelease {
                return "<=\(string(major)).\(string(minor)).\(string(patch))-\(string(prerelease))"
            }
            if options.includesPrereleases { return "<\(string(major)).\(string(minor)).\(next(patch))-0" }
            return "<=\(string(written))"
        }

        private func string(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }

        /// One more; a number too large to count with stays too large.
        private func next(_ digits: Bytes) -> String {
            "\((SemanticVersion.number(digits) ?? SemanticVersion.numberLimit) + 1)"
        }

        /// `> 1.2.3` becomes `>1.2.3`.
        private func trimmingComparators(_ text: [UInt8]) -> [UInt8] {
            var result: [UInt8] = []
            var place = 0
            while place < text.count {
                var next = place
                if text[next] == UInt8(ascii: " ") { next += 1 }
                if next < text.count, text[next] == UInt8(ascii: "<") || text[next] == UInt8(ascii: ">") { next += 1 }
                if next < text.count, text[next] == UInt8(ascii: "=") { next += 1 }
                let operatorEnd = next
                if next < text.count, text[next] == UInt8(ascii: " ") { next += 1 }
                let versionStart = next
                while next < text.count, VersionGrammar.isDecoration(text[next]) { next += 1 }
                guard next < text.count, VersionGrammar.isDigit(text[next]) || VersionGrammar.isPlaceByte(text[next]) else {
                    result.append(text[place])
                    place += 1
                    continue
                }
                // Behind its first digit, a version holds nothing that this could take for the start of another comparator.
                while next < text.count, text[next] != UInt8(ascii: " "), !Self.isOperator(text[next]) { next += 1 }
                result += text[place..<operatorEnd]
                result += text[versionStart..<next]
                place = next
            }
            return result
        }

        private static func isOperator(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "=")
        }

        /// `~ 1.2.3` and `~> 1.2.3` become `~1.2.3`.
        private func trimming(_ text: [UInt8], after sign: UInt8, optionally second: UInt8?) -> [UInt8] {
            var result: [UInt8] = []
            var place = 0
            while place < text.count {
                result.append(text[place])
                guard text[place] == sign else {
                    place += 1
                    continue
                }
                var next = place + 1
                if next < text.count, text[next] == second { next += 1 }
                place = next < text.count && text[next] == UInt8(ascii: " ") ? next + 1 : place + 1
            }
            return result
        }

        // MARK: One word

        private func read(word: [UInt8]) throws(Invalid) -> [Comparison] {
            try word.withUnsafeBufferPointer { bytes throws(Invalid) in
                let bytes = bytes[...]
                if bytes.first == UInt8(ascii: "^"), let version = VersionGrammar(partial: bytes.dropFirst(), isLoose: options.isLoose) {
                    return try caret(version)
                }
                if bytes.first == UInt8(ascii: "~") {
                    let rest = bytes.dropFirst(bytes.dropFirst().first == UInt8(ascii: ">") ? 2 : 1)
                    if let version = VersionGrammar(partial: rest, isLoose: options.isLoose) { return try tilde(version) }
                }
                let sign = Self.sign(bytes)
                if let version = VersionGrammar(partial: bytes[sign.endIndex...], isLoose: options.isLoose), version.patch == nil {
                    return try partial(string(sign), version)
                }
                return try [comparator(Self.droppingStar(word))].compactMap { $0 }
            }
        }

        /// The operator a word starts with.
        private static func sign(_ word: Bytes) -> Bytes {
            var end = word.startIndex
            if end < word.endIndex, word[end] == UInt8(ascii: "<") || word[end] == UInt8(ascii: ">") { end += 1 }
            if end < word.endIndex, word[end] == UInt8(ascii: "=") { end += 1 }
            return word[..<end]
        }

        /// A star is as loose as it gets: it goes with its operator, wherever it stands.
        private static func droppingStar(_ word: [UInt8]) -> [UInt8] {
            guard let star = word.firstIndex(of: UInt8(ascii: "*")) else { return word }
            var start = star
            if start > 0, word[start - 1] == UInt8(ascii: "=") { start -= 1 }
            if start > 0, word[start - 1] == UInt8(ascii: "<") || word[start - 1] == UInt8(ascii: ">") { start -= 1 }
            return Array(word[..<start] + word[(star + 1)...])
        }

        /// A comparator in full; loosely `nil` for what is none.
        private func comparator(_ word: [UInt8]) throws(Invalid) -> Comparison? {
            guard !word.isEmpty else { return .nothing }
            guard word != Array((options.includesPrereleases ? ">=0.0.0-0" : ">=0.0.0").utf8) else { return .any }
            return try word.withUnsafeBufferPointer { bytes throws(Invalid) in
                let sign = Self.sign(bytes[...])
                guard let text = VersionGrammar(version: bytes[sign.endIndex...], isLoose: options.isLoose) else {
                    guard options.isLoose else { throw .comparator }
                    return nil
                }
                guard word.count - sign.count <= SemanticVersion.lengthLimit, let version = SemanticVersion(text) else { throw .comparator }
                switch string(sign) {
                case "<": return version == SemanticVersion(0, 0, 0, prerelease: [.number(0)]) ? Comparison.none : .less(version)
                case "<=": return .atMost(version)
                case ">": return .greater(version)
                case ">=": return .atLeast(version)
                default: return .equal(version)
                }
            }
        }

        private func number(_ digits: Bytes?) throws(Invalid) -> UInt64 {
            guard let digits else { return 0 }
            guard let number = SemanticVersion.number(digits) else { throw .comparator }
            return number
        }

        /// At least this, and less than that.
        private func span(
            _ low: (UInt64, UInt64, UInt64), _ prerelease: Bytes? = nil, startsLow: Bool, below high: (UInt64, UInt64, UInt64)
        ) throws(Invalid) -> [Comparison] {
            guard max(high.0, high.1, high.2) <= SemanticVersion.numberLimit else { throw .comparator }
            let lowest = startsLow && options.includesPrereleases
            let identifiers = prerelease.map(SemanticVersion.identifiers) ?? (lowest ? [.number(0)] : [])
            let isAny = low == (0, 0, 0) && prerelease == nil && lowest == options.includesPrereleases
            return [
                isAny ? .any : .atLeast(SemanticVersion(low.0, low.1, low.2, prerelease: identifiers)),
                .less(SemanticVersion(high.0, high.1, high.2, prerelease: [.number(0)])),
            ]
        }

        /// Up to the next change of the leftmost number that is not zero.
        private func caret(_ version: VersionGrammar) throws(Invalid) -> [Comparison] {
            guard let majorText = version.major else { return [.nothing] }
            let major = try number(majorText)
            guard let minorText = version.minor else { return try span((major, 0, 0), startsLow: true, below: (major + 1, 0, 0)) }
            let minor = try number(minorText)
            // Only a zero written as one digit is one.
            let isZero = majorText.elementsEqual("0".utf8)
            guard let patchText = version.patch else {
                return try span((major, minor, 0), startsLow: true, below: isZero ? (major, minor + 1, 0) : (major + 1, 0, 0))
            }
            let patch = try number(patchText)
            let end: (UInt64, UInt64, UInt64) =
                !isZero ? (major + 1, 0, 0) : minorText.elementsEqual("0".utf8) ? (major, minor, patch + 1) : (major, minor + 1, 0)
            return try span((major, minor, patch), version.prerelease, startsLow: isZero, below: end)
        }

        /// Up to the next minor.
        private func tilde(_ version: VersionGrammar) throws(Invalid) -> [Comparison] {
            guard let majorText = version.major else { return [.nothing] }
            let major = try number(majorText)
            guard let minorText = version.minor else { return try span((major, 0, 0), startsLow: false, below: (major + 1, 0, 0)) }
            let minor = try number(minorText)
            return try span((major, minor, number(version.patch)), version.prerelease, startsLow: false, below: (major, minor + 1, 0))
        }

        /// A comparator of which parts are left open.
        private func partial(_ sign: String, _ version: VersionGrammar) throws(Invalid) -> [Comparison] {
            guard let majorText = version.major else { return [sign == ">" || sign == "<" ? .none : .nothing] }
            let major = try number(majorText)
            let minor = try number(version.minor)
            let next: (UInt64, UInt64, UInt64) = version.minor == nil ? (major + 1, 0, 0) : (major, minor + 1, 0)
            guard !sign.isEmpty, sign != "=" else { return try span((major, minor, 0), startsLow: true, below: next) }
            let lowest: [SemanticVersion.Identifier] = options.includesPrereleases ? [.number(0)] : []
            let bound = sign == ">" || sign == "<=" ? next : (major, minor, 0)
            guard max(bound.0, bound.1) <= SemanticVersion.numberLimit else { throw .comparator }
            if sign.first == ">" {
                if bound == (0, 0, 0) { return [.any] }
                return [.atLeast(SemanticVersion(bound.0, bound.1, bound.2, prerelease: lowest))]
            }
            let end = SemanticVersion(bound.0, bound.1, bound.2, prerelease: [.number(0)])
            return [end == SemanticVersion(0, 0, 0, prerelease: [.number(0)]) ? Comparison.none : .less(end)]
        }
    }
}
