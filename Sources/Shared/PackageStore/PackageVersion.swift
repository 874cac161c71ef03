/// A version of a package: Semantic Versioning 2.0.0 as node-semver reads it strictly.
///
/// Versions are equal when their texts are; they compare by precedence, and where that ties (build metadata) by text.
package struct PackageVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// One identifier of a prerelease.
    private enum Identifier: Sendable, Hashable {
        case number(UInt64)
        case word(String)
    }

    private struct Numbers: Sendable, Hashable, Comparable {
        let major: UInt64
        let minor: UInt64
        let patch: UInt64

        static func < (left: Numbers, right: Numbers) -> Bool {
            (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
        }
    }

    /// The version as it is written.
    package let text: String
    private let numbers: Numbers
    private let prerelease: [Identifier]

    /// Accepts `1.2.3`, `1.2.3-beta.1`, `1.2.3+build`, at most 256 characters; `nil` for anything else.
    package init?(_ text: String) {
        var text = text
        let parsed = text.withUTF8 { $0.count <= 256 ? Self.parse($0) : nil }
        guard let parsed else { return nil }
        numbers = parsed.numbers
        prerelease = parsed.prerelease
        self.text = text
    }

    private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> (numbers: Numbers, prerelease: [Identifier])? {
        let beforeBuild = bytes.firstIndex(of: UInt8(ascii: "+")) ?? bytes.count
        if beforeBuild < bytes.count {
            let words = bytes[(beforeBuild + 1)...].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            guard words.allSatisfy(isWord) else { return nil }
        }
        let core = bytes[..<beforeBuild]
        let end = core.firstIndex(of: UInt8(ascii: "-")) ?? beforeBuild
        guard let first = core[..<end].firstIndex(of: UInt8(ascii: ".")),
            let second = core[(first + 1)..<end].firstIndex(of: UInt8(ascii: ".")), let major = number(core[..<first]),
            let minor = number(core[(first + 1)..<second]), let patch = number(core[(second + 1)..<end])
        else { return nil }
        var prerelease: [Identifier] = []
        if end < beforeBuild {
            for identifier in core[(end + 1)...].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
                guard isWord(identifier) else { return nil }
                if identifier.allSatisfy(isDigit) {
                    guard let number = number(identifier) else { return nil }
                    prerelease.append(.number(number))
                } else {
                    prerelease.append(.word(String(decoding: identifier, as: UTF8.self)))
                }
            }
        }
        return (Numbers(major: major, minor: minor, patch: patch), prerelease)
    }

    /// Whether this is no prerelease.
    package var isStable: Bool { prerelease.isEmpty }

    package var description: String { text }

    package static func == (left: PackageVersion, right: PackageVersion) -> Bool { left.text == right.text }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    package static func < (left: PackageVersion, right: PackageVersion) -> Bool {
        if left.numbers != right.numbers { return left.numbers < right.numbers }
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

    private static func number(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> UInt64? {
        guard let first = digits.first, digits.count <= 16, digits.count == 1 || first != 0x30, digits.allSatisfy(isDigit) else {
            return nil
        }
        let value = digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1 - 0x30) }
        return value <= 9_007_199_254_740_991 ? value : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private static func isWord(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        !bytes.isEmpty
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
