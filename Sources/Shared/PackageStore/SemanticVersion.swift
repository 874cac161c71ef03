import Platform

/// A version as node-semver 7 reads it: Semantic Versioning 2.0.0, or loosely what else npm has always accepted.
///
/// Equality and order are those of precedence: build metadata does not count.
package struct SemanticVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// One identifier of a prerelease.
    enum Identifier: Sendable, Hashable {
        case number(UInt64)
        /// Digits of a number that JavaScript does not count to, without leading zeros.
        case largeNumber(String)
        case word(String)
    }

    package let major: UInt64
    package let minor: UInt64
    package let patch: UInt64
    let prerelease: [Identifier]

    /// The largest number that JavaScript counts to.
    static let numberLimit: UInt64 = 9_007_199_254_740_991
    static let lengthLimit = 256

    init(_ major: UInt64, _ minor: UInt64, _ patch: UInt64, prerelease: [Identifier] = []) {
        self.major = major
        self.minor = minor
        self.patch = patch
        self.prerelease = prerelease
    }

    /// Accepts `1.2.3-beta.1+build` and `v1.2.3`, with spaces around; loosely also `=1.2.3`, `1.2.3beta` and `01.2.3`.
    ///
    /// At most 256 characters; `nil` for anything else.
    package init?(_ text: String, isLoose: Bool = false) {
        guard text.utf16.count <= Self.lengthLimit else { return nil }
        var trimmed = text.collapsingSpaces()
        let version: SemanticVersion? = trimmed.withUTF8 { bytes in
            VersionGrammar(version: bytes[...], isLoose: isLoose).flatMap { SemanticVersion($0) }
        }
        guard let version else { return nil }
        self = version
    }

    /// `nil` where a number is larger than JavaScript counts to.
    init?(_ text: VersionGrammar) {
        guard let major = Self.number(text.major), let minor = Self.number(text.minor), let patch = Self.number(text.patch) else {
            return nil
        }
        self.init(major, minor, patch, prerelease: text.prerelease.map(Self.identifiers) ?? [])
    }

    static func number(_ digits: VersionGrammar.Bytes?) -> UInt64? {
        guard let digits else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            value = value * 10 + UInt64(digit - 0x30)
            guard value <= numberLimit else { return nil }
        }
        return value
    }

    static func identifiers(_ text: VersionGrammar.Bytes) -> [Identifier] {
        text.split(separator: UInt8(ascii: ".")).map { word in
            guard word.allSatisfy(VersionGrammar.isDigit) else { return .word(String(decoding: word, as: UTF8.self)) }
            if let number = number(word), number < numberLimit { return .number(number) }
            return .largeNumber(String(decoding: word.drop { $0 == UInt8(ascii: "0") }, as: UTF8.self))
        }
    }

    /// Whether this is no prerelease.
    package var isStable: Bool { prerelease.isEmpty }

    /// Whether the three numbers are the same.
    func isOfSameRelease(as other: SemanticVersion) -> Bool {
        (major, minor, patch) == (other.major, other.minor, other.patch)
    }

    /// The version without build metadata, as npm looks it up in a packument.
    package var description: String {
        let words = prerelease.map { identifier in
            switch identifier {
            case .number(let number): "\(number)"
            case .largeNumber(let word), .word(let word): word
            }
        }
        return "\(major).\(minor).\(patch)" + (words.isEmpty ? "" : "-" + words.joined(separator: "."))
    }

    package static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
        if !left.isOfSameRelease(as: right) { return (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch) }
        if left.isStable != right.isStable { return right.isStable }
        for (a, b) in zip(left.prerelease, right.prerelease) where a != b {
            switch (a, b) {
            case (.number(let x), .number(let y)): return x < y
            case (.largeNumber(let x), .largeNumber(let y)): return x.utf8.count == y.utf8.count ? x < y : x.utf8.count < y.utf8.count
            case (.word(let x), .word(let y)): return x.precedesByBytes(y)
            case (.number, _), (.largeNumber, .word): return true
            case (_, .number), (.word, _): return false
            }
        }
        return left.prerelease.count < right.prerelease.count
    }
}

extension String {
    /// Without JavaScript's white space at both ends, and with one space for each run of it between.
    package func collapsingSpaces() -> String {
        let isPlain = utf8.allSatisfy { $0 > 0x20 && $0 < 0x80 }
        guard !isPlain else { return self }
        return unicodeScalars.split(whereSeparator: Self.isSpace).map { String($0) }.joined(separator: " ")
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x20, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF: true
        default: false
        }
    }
}
