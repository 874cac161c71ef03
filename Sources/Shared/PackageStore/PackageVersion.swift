import Platform

/// A version of a package: Semantic Versioning 2.0.0 as node-semver reads it strictly.
///
/// Versions are equal when their texts are; they compare by precedence, and where that ties (build metadata) by text.
package struct PackageVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The version as it is written.
    package let text: String
    /// What it means.
    package let semantic: SemanticVersion

    /// Accepts `1.2.3`, `1.2.3-beta.1`, `1.2.3+build`, at most 256 characters; `nil` for anything else.
    package init?(_ text: String) {
        var text = text
        let parsed: SemanticVersion? = text.withUTF8 { bytes in
            guard bytes.count <= SemanticVersion.lengthLimit, bytes.first.map(VersionGrammar.isDigit) == true else { return nil }
            return VersionGrammar(version: bytes[...], isLoose: false).flatMap { SemanticVersion($0) }
        }
        guard let parsed else { return nil }
        semantic = parsed
        self.text = text
    }

    /// Whether this is no prerelease.
    package var isStable: Bool { semantic.isStable }

    package var description: String { text }

    package static func == (left: PackageVersion, right: PackageVersion) -> Bool { left.text == right.text }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    package static func < (left: PackageVersion, right: PackageVersion) -> Bool {
        if left.semantic != right.semantic { return left.semantic < right.semantic }
        return left.text.precedesByBytes(right.text)
    }

    /// The version Verdaccio and npm fall back to as `latest`: the highest stable one, else the highest.
    package static func preferredLatest(of versions: some Sequence<PackageVersion>) -> PackageVersion? {
        versions.max { left, right in
            left.isStable == right.isStable ? left < right : right.isStable
        }
    }
}
