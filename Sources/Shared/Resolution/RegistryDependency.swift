package import PackageStore

/// Which version of a package is asked for.
package enum WantedVersion: Sendable, Hashable, CustomStringConvertible {
    /// Exactly this one.
    case version(SemanticVersion)
    case range(VersionRange)
    /// The one a dist-tag points at.
    case tag(String)

    /// Any version, `latest` preferred.
    package static let any = WantedVersion.range(VersionRange.any)

    /// Reads what stands behind `name@`, as npm-package-arg 11 does for a registry; `nil` for what is no version, range or tag.
    package init?(_ text: String) {
        let text = text.collapsingSpaces()
        if text.isEmpty {
            self = .any
        } else if let version = SemanticVersion(text, isLoose: true) {
            self = .version(version)
        } else if let range = VersionRange(text) {
            self = .range(range)
        } else if text.utf8.allSatisfy(isNameByte) {
            self = .tag(text)
        } else {
            return nil
        }
    }

    package var description: String {
        switch self {
        case .version(let version): version.description
        case .range(let range): range.text
        case .tag(let tag): tag
        }
    }
}

/// What a registry is asked for: a package, and which version of it.
package struct RegistryDependency: Sendable, Hashable, CustomStringConvertible {
    package let package: PackageName
    package let wanted: WantedVersion

    package init(_ package: PackageName, _ wanted: WantedVersion) {
        self.package = package
        self.wanted = wanted
    }

    /// What is not to be had from a registry, or not to be understood.
    package enum Problem: Error, Hashable, CustomStringConvertible {
        /// A repository, an address, or a file: it cannot be carried.
        case elsewhere(Place, String)
        case invalid(String)

        package enum Place: String, Sendable {
            case git, url, file
            case protocolOfAnotherTool = "protocol"
        }

        package var description: String {
            switch self {
            case .elsewhere(.git, let text): "\"\(text)\" is a git repository, not a package of the registry"
            case .elsewhere(.url, let text): "\"\(text)\" is an address, not a package of the registry"
            case .elsewhere(.file, let text): "\"\(text)\" is a file, not a package of the registry"
            case .elsewhere(.protocolOfAnotherTool, let text): "\"\(text)\" means something only where the package was made"
            case .invalid(let text): "\"\(text)\" names no version, range or tag"
            }
        }
    }

    /// Reads `name@range`, `@scope/name`, `name@npm:other@1`: what a person or a command names.
    package static func read(argument text: String) -> Result<RegistryDependency, Problem> {
        let at = text.utf8.dropFirst().firstIndex(of: UInt8(ascii: "@"))
        let name = at.map { String(text[..<$0]) } ?? text
        return read(name: name, spec: at.map { String(text[text.utf8.index(after: $0)...]) } ?? "*")
    }

    /// Reads an entry of `dependencies`, as npm-package-arg 11 does.
    ///
    /// - Parameter name: what it is installed as, which is the package's name unless `spec` is an alias.
    package static func read(name: String, spec: String) -> Result<RegistryDependency, Problem> {
        let lowercased = spec.lowercased()
        if isFile(spec) || lowercased.hasPrefix("file:") { return .failure(.elsewhere(.file, spec)) }
        if lowercased.hasPrefix("npm:") {
            let inner = String(spec.dropFirst(4))
            guard !inner.lowercased().contains("npm:"), case .success(let dependency) = read(argument: inner) else {
                return .failure(.invalid(spec))
            }
            return .success(dependency)
        }
        if let scheme = scheme(of: lowercased) {
            switch scheme {
            case "http", "https": return .failure(.elsewhere(lowercased.contains(".git") ? .git : .url, spec))
            case "git", "ssh", "github", "gitlab", "bitbucket", "gist", "sourcehut": return .failure(.elsewhere(.git, spec))
            default: return .failure(.elsewhere(scheme.hasPrefix("git+") ? .git : .protocolOfAnotherTool, spec))
            }
        }
        if spec.utf8.contains(UInt8(ascii: "/")) { return .failure(.elsewhere(.git, spec)) }
        guard ![".tgz", ".tar.gz", ".tar"].contains(where: lowercased.hasSuffix) else { return .failure(.elsewhere(.file, spec)) }
        guard let package = PackageName(name) else { return .failure(.invalid("\(name)@\(spec)")) }
        guard let wanted = WantedVersion(spec) else { return .failure(.invalid(spec)) }
        return .success(RegistryDependency(package, wanted))
    }

    private static func isFile(_ spec: String) -> Bool {
        let bytes = Array(spec.utf8.prefix(2))
        let isDrive = bytes.count == 2 && bytes[1] == UInt8(ascii: ":") && bytes[0] | 0x20 >= 0x61 && bytes[0] | 0x20 <= 0x7A
        return isDrive || spec.hasPrefix(".") || spec.hasPrefix("~/") || spec.hasPrefix("/")
    }

    /// What stands before the first colon, where that is a scheme.
    private static func scheme(of spec: String) -> Substring? {
        guard let colon = spec.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let scheme = spec[..<colon]
        let letters = scheme.hasPrefix("git+") ? scheme.dropFirst(4) : scheme
        return !letters.isEmpty && letters.utf8.allSatisfy { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") } ? scheme : nil
    }

    package var description: String { "\(package)@\(wanted)" }

    /// Whether a registry that holds these versions, under these dist-tags, has what is asked for.
    package func isMet(by versions: [PackageVersion], tags: [String: String]) -> Bool {
        switch wanted {
        case .version(let version): versions.contains { $0.semantic == version }
        // A range of any version takes what npm would take for want of a stable one.
        case .range(let range): versions.contains { range.contains($0.semantic) } || (range == .any && !versions.isEmpty)
        case .tag(let tag): versions.contains { $0.text == tags[tag] }
        }
    }
}
