import CanonicalJSON
package import PackageStore

/// A version of a package as far as resolving needs it.
package struct Release: Sendable {
    /// Something that a version needs.
    package struct Dependency: Sendable {
        package enum Kind: Sendable {
            case required, optional, peer
        }

        /// What it is installed as.
        package let name: String
        /// What the manifest says.
        package let spec: String
        package let kind: Kind

        /// What a registry is asked for.
        package var target: Result<RegistryDependency, RegistryDependency.Problem> { RegistryDependency.read(name: name, spec: spec) }
    }

    package let version: PackageVersion
    /// The name of its tarball in storage.
    package let file: FileName
    package let isDeprecated: Bool
    package let platforms: PlatformRestriction
    /// `engines.node` as npm judges it; `nil` where any Node will do.
    private let engine: Engine?
    /// What npm installs with it, sorted by name: without what the tarball bundles, and without optional peers.
    package let dependencies: [Dependency]
    /// Members of the manifest that are not what they should be; npm passes over them.
    package let problems: [String]
    /// Whether it brings `overrides`, which npm heeds in a root project only.
    package let hasOverrides: Bool
    package let declared: DeclaredVersion

    private enum Engine: Sendable {
        case range(VersionRange)
        case unreadable
    }

    /// The members of a version entry that are read here, `dist` beside them.
    package static let members: Set<String> = [
        "deprecated", "os", "cpu", "libc", "overrides", "engines", "dependencies", "optionalDependencies", "peerDependencies",
        "peerDependenciesMeta", "bundleDependencies", "bundledDependencies",
    ]

    /// Reads a version entry.
    package init(_ declared: DeclaredVersion) {
        let manifest = declared.manifest
        self.declared = declared
        version = declared.version
        file = declared.file
        isDeprecated = manifest["deprecated"]?.isTruthy ?? false
        platforms = PlatformRestriction(of: manifest)
        hasOverrides = manifest["overrides"]?.object.map { !$0.members.isEmpty } ?? false
        let node = manifest["engines"]?.object?["node"]
        engine = node.flatMap { node in
            guard node.isTruthy else { return nil }
            return node.string.flatMap { VersionRange($0, .engines) }.map { .range($0) } ?? .unreadable
        }
        (dependencies, problems) = Self.dependencies(of: manifest)
    }

    /// Whether `engines` admits a version of Node.
    package func runs(on node: SemanticVersion) -> Bool {
        switch engine {
        case nil: true
        case .range(let range): range.contains(node)
        case .unreadable: false
        }
    }

    /// As npm's Arborist loads them: optional ones replace required ones of the same name, and those replace peers.
    private static func dependencies(of manifest: JSONObject) -> ([Dependency], problems: [String]) {
        var found: [String: Dependency] = [:]
        var problems: [String] = []
        let optionalPeers = manifest["peerDependenciesMeta"]?.object
        let kinds: [(String, Dependency.Kind)] = [
            ("peerDependencies", .peer), ("dependencies", .required), ("optionalDependencies", .optional),
        ]
        for (member, kind) in kinds {
            guard let value = manifest[member], value != .null else { continue }
            guard let entries = value.object else {
                if value.array.map({ !$0.isEmpty }) ?? true { problems.append("\"\(member)\" is not an object") }
                continue
            }
            for (name, spec) in entries.members {
                if kind == .peer, optionalPeers?[name]?.object?["optional"]?.isTruthy == true { continue }
                guard let spec = spec.string else {
                    problems.append("\"\(member)\" says no version of \"\(name)\"")
                    continue
                }
                found[name] = Dependency(name: name, spec: spec, kind: kind)
            }
        }
        let bundled = manifest["bundleDependencies"] ?? manifest["bundledDependencies"]
        if bundled == .bool(true) {
            for (name, _) in manifest["dependencies"]?.object?.members ?? [] { found[name] = nil }
        }
        for name in bundled?.array?.compactMap(\.string) ?? [] { found[name] = nil }
        return (found.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }, problems)
    }
}

extension JSONValue {
    /// What JavaScript takes for true.
    var isTruthy: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .string(let text): !text.isEmpty
        case .number(let number): number != 0 && !number.isNaN
        case .array, .object: true
        }
    }
}
