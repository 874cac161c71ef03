import CanonicalJSON
import PackageStore

extension LockfileContents {
    /// `package-lock.json` and `npm-shrinkwrap.json`: 1 has a tree of `dependencies`, 3 has `packages` by path, 2 has both.
    mutating func readNPM(_ bytes: [UInt8]) throws(LockfileError) -> Lockfile.Format {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(bytes, mode: .likeJavaScript) } catch {
            let line = bytes.prefix(error.offset).count { $0 == UInt8(ascii: "\n") } + 1
            throw failure("not valid json: \(error.reason)", line: line)
        }
        guard let root = value.object else { throw failure("an object was expected") }
        let dependencies = root["dependencies"]
        let packages = root["packages"]
        switch root["lockfileVersion"] {
        case 1 where packages == nil:
            if let dependencies { try readDependencies(dependencies, below: "") }
            return .npm(1)
        case 2, 3:
            guard let packages = packages?.object else { throw failure("\"packages\" is missing, or not an object") }
            let bundlers = Set(packages.members.filter { $0.value.object?["bundleDependencies"] != nil }.map(\.name))
            for (path, entry) in packages.members { try readPackage(entry, at: path, bundlers: bundlers) }
            return .npm(root["lockfileVersion"] == 2 ? 2 : 3)
        case nil where dependencies?.object?.members.contains { $0.value.object != nil } == true:
            // What npm before 5 wrote.
            if let dependencies { try readDependencies(dependencies, below: "") }
            return .npm(1)
        case nil: throw failure("there is no \"lockfileVersion\": it is not npm's lockfile")
        case 1: throw failure("version 1 of npm's lockfile has no \"packages\": it is not npm's lockfile")
        case let version?:
            throw failure("version \(String(decoding: version.canonicalBytes, as: UTF8.self)) of npm's lockfile is not known")
        }
    }

    private mutating func readDependencies(_ value: JSONValue, below parent: String) throws(LockfileError) {
        guard let object = value.object else { throw failure("\"dependencies\" of \"\(parent)\" is not an object") }
        for (name, value) in object.members {
            let path = "\(parent.isEmpty ? "" : "\(parent)/")node_modules/\(name)"
            guard let entry = value.object else { throw failure("\"\(path)\" is not an object") }
            if entry["bundled"]?.bool != true { try readDependency(entry, name: name, at: path) }
            if let dependencies = entry["dependencies"] { try readDependencies(dependencies, below: path) }
        }
    }

    private mutating func readDependency(_ entry: JSONObject, name: String, at path: String) throws(LockfileError) {
        guard let version = try text("version", of: entry, at: path) else { return report(.invalidVersion, path) }
        if version.hasPrefix("npm:"), let (name, version) = version.dropFirst(4).nameAndRest {
            try add(name, version, entry, at: path)
        } else if PackageVersion(version) != nil {
            try add(name, version, entry, at: path)
        } else {
            report(LockfileFinding.code(ofSource: version) ?? .url, path)
        }
    }

    private mutating func readPackage(_ value: JSONValue, at path: String, bundlers: Set<String>) throws(LockfileError) {
        guard let entry = value.object else { throw failure("\"\(path)\" is not an object") }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        // The project, and directories of its own that links lead to, lie in no node_modules.
        guard let folder = parts.lastIndex(of: "node_modules"), entry["link"]?.bool != true else { return }
        // What the project or a workspace bundles is marked, too, and is fetched all the same: only a dependency brings its own along.
        let parents = parts.indices.filter { parts[$0] == "node_modules" && parts[..<$0].contains("node_modules") }
        let isBrought = parents.contains { bundlers.contains(parts[..<$0].joined(separator: "/")) }
        if isBrought, entry["inBundle"]?.bool == true { return }
        let name = try text("name", of: entry, at: path) ?? parts[(folder + 1)...].joined(separator: "/")
        guard let version = try text("version", of: entry, at: path) else {
            return report(entry["resolved"]?.string.flatMap { LockfileFinding.code(ofSource: $0) } ?? .invalidVersion, path)
        }
        try add(name, version, entry, at: path)
    }

    private mutating func add(
        _ name: some StringProtocol, _ version: some StringProtocol, _ entry: JSONObject, at path: String
    ) throws(LockfileError) {
        let integrity = try text("integrity", of: entry, at: path)
        if let code = entry["resolved"]?.string.flatMap({ LockfileFinding.code(ofSource: $0) }) { return report(code, path) }
        add(name, version, integrity: integrity, isOptional: entry["optional"]?.bool == true, entry: path)
    }

    private func text(_ member: String, of entry: JSONObject, at path: String) throws(LockfileError) -> String? {
        guard let value = entry[member] else { return nil }
        guard let text = value.string else { throw failure("\"\(member)\" of \"\(path)\" is not a string") }
        return text
    }
}
