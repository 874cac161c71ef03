import PackageStore
import YAML

extension LockfileContents {
    /// The formats that are YAML: pnpm's, of which a file can hold several documents, and Yarn berry's.
    mutating func readYAML(_ bytes: [UInt8]) throws(LockfileError) -> Lockfile.Format {
        let documents: [YAMLNode]
        do throws(YAMLError) { documents = try YAMLParser.parse(bytes, aliases: .refused) } catch {
            throw failure("not valid yaml: \(error.reason)", line: error.line)
        }
        if documents.count == 1, let metadata = documents.first?["__metadata"] { return try readYarnBerry(documents[0], metadata) }
        var format: Lockfile.Format?
        // Since pnpm 11 what pnpm itself needs comes in a document before the project's.
        for document in documents { format = try readPNPM(document) }
        guard let format else { throw failure("it is empty") }
        return format
    }

    /// `pnpm-lock.yaml`: `packages` by dependency path, whose form each major version changed.
    private mutating func readPNPM(_ document: YAMLNode) throws(LockfileError) -> Lockfile.Format {
        guard let version = document["lockfileVersion"]?.text else {
            throw failure("it is not a lockfile of npm, pnpm or yarn", line: document.line)
        }
        guard let major = Int(version.prefix { $0 != "." }), [5, 6, 9].contains(major) else {
            throw failure("version \(version) of pnpm's lockfile is not known", line: document["lockfileVersion"]?.line)
        }
        guard let packages = document["packages"], !packages.isEmpty else { return .pnpm(version) }
        guard let members = packages.members else { throw failure("\"packages\" is not a mapping", line: packages.line) }
        // Since 9 that stands with each set of peers.
        var optional: [String: Bool] = [:]
        for (key, value) in document["snapshots"]?.members ?? [] {
            let path = String((key.text ?? "").prefix { $0 != "(" })
            optional[path] = value["optional"]?.text == "true" && optional[path] ?? true
        }
        for (key, value) in members {
            guard let path = key.text, let resolution = value["resolution"], resolution.members != nil else {
                throw failure("\"\(key.text ?? "")\" has no \"resolution\"", line: key.line)
            }
            let (name, version) = Self.nameAndVersion(of: path, major: major) ?? ("", path[...])
            let source = resolution["tarball"]?.text ?? String(version)
            if resolution["type"] == nil, PackageName(String(name)) != nil, PackageVersion(String(version)) != nil {
                let isOptional = value["optional"]?.text == "true" || optional[path] == true
                add(name, version, integrity: resolution["integrity"]?.text, isOptional: isOptional, entry: path)
            } else {
                switch resolution["type"]?.text {
                case "git": report(.git, path)
                case "directory": report(.local, path)
                case nil where source.contains(":"): report(LockfileFinding.code(ofSource: source) ?? .url, path)
                default: report(.unknownSource, path)
                }
            }
        }
        return .pnpm(version)
    }

    /// Takes apart `/name/1.2.3_peers` (5), `/name@1.2.3(peer@1.0.0)` (6) and `name@1.2.3` (9).
    ///
    /// Before 9 a path that does not begin with a slash begins with its registry's host.
    private static func nameAndVersion(of path: String, major: Int) -> (name: Substring, version: Substring)? {
        guard major < 9 else { return path.nameAndRest.map { ($0.name, $0.rest.prefix { $0 != "(" }) } }
        guard let slash = path.firstIndex(of: "/"), !path[..<slash].contains(":") else { return nil }
        let rest = path[path.index(after: slash)...]
        if major == 6 { return rest.nameAndRest.map { ($0.name, $0.rest.prefix { $0 != "(" }) } }
        let afterScope = rest.hasPrefix("@") ? rest.firstIndex(of: "/").map { rest.index(after: $0) } : rest.startIndex
        guard let afterScope, let end = rest[afterScope...].firstIndex(of: "/") else { return nil }
        return (rest[..<end], rest[rest.index(after: end)...].prefix { $0 != "_" })
    }
}
