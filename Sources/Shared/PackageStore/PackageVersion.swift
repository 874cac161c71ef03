/// A version of a package: Semantic Versioning 2.0.0 as node-semver reads it strictly.
///
/// Versions are equal when their texts are; they compare by precedence, and where that ties (build metadata) by text.
package struct PackageVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// One identifier of a prerelease.
    private enum Identifier: Sendable, Hashable {
        case number(UInt64)
        case word(String)
    }

    /// The version as it is written.
    package let text: String
    private let numbers: [UInt64]
    private let prerelease: [Identifier]

    /// Accepts `1.2.3`, `1.2.3-beta.1`, `1.2.3+build`, at most 256 characters; `nil` for anything else.
    package init?(_ text: String) {
        guard text.utf8.count <= 256 else { return nil }
        let withoutBuild = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        if withoutBuild.count == 2 {
            guard withoutBuild[1].split(separator: ".", omittingEmptySubsequences: false).allSatisfy(Self.isWord) else { return nil }
        }
        let parts = withoutBuild[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(Self.number)
        guard numbers.count == 3 else { return nil }
        self.numbers = numbers.compactMap { $0 }
        guard self.numbers.count == 3 else { return nil }
        var prerelease: [Identifier] = []
        if parts.count == 2 {
            for identifier in parts[1].split(separator: ".", omittingEmptySubsequences: false) {
                guard Self.isWord(identifier) else { return nil }
                if identifier.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
                    guard let number = Self.number(identifier) else { return nil }
                    prerelease.append(.number(number))
                } else {
                    prerelease.append(.word(String(identifier)))
                }
            }
        }
        self.prerelease = prerelease
        self.text = text
    }

    /// Whether this is no prerelease.
    package var isStable: Bool { prerelease.isEmpty }

    package var description: String { text }

    package static func == (left: PackageVersion, right: PackageVersion) -> Bool { left.text == right.text }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    package static func < (left: PackageVersion, right: PackageVersion) -> Bool {
        for (a, b) in zip(left.numbers, right.numbers) where a != b { return a < b }
        if left.isStable != right.isStable { return right.isStable }
        for (a, b) in zip(left.prerelease, right.prerelease) where a != b {
            switch (a, b) {
            case (.number(let x), .number(let y)): return x < y
            case (.number, .word): return true
            case (.word, .number): return false
            case (.word(let x), .word(let y)): return x.utf8.lexicographicallyPrecedes(y.utf8)
            }
        }
        if left.prerelease.count != right.prerelease.count { return left.prerelease.count < right.prerelease.count }
        return left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    /// The version Verdaccio and npm fall back to as `latest`: the highest stable one, else the highest.
    package static func preferredLatest(of versions: some Sequence<PackageVersion>) -> PackageVersion? {
        versions.max { left, right in
            left.isStable == right.isStable ? left < right : right.isStable
        }
    }

    private static func number(_ digits: Substring) -> UInt64? {
        guard let first = digits.utf8.first, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        guard digits.utf8.count == 1 || first != 0x30, let value = UInt64(digits), value <= 9_007_199_254_740_991 else { return nil }
        return value
    }

    private static func isWord(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
