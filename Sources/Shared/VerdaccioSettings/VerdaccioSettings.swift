import Platform
package import SystemPackage
import YAML

/// What Ferry needs of Verdaccio's `config.yaml` (versions 5 and 6).
package struct VerdaccioSettings: Sendable {
    /// One entry of `packages`.
    package struct Rule: Sendable {
        /// The pattern as it is written.
        package let pattern: String
        /// The sub-directory of the storage these packages lie in.
        package let storage: String?
        /// The names of the uplinks these packages are fetched from, in their order.
        package let proxy: [String]
    }

    /// The storage directory, absolute where the configuration's path is.
    package let storage: FilePath
    /// The entries of `packages` in their order; the first that matches counts.
    package let rules: [Rule]
    /// The entries of `uplinks` in their order.
    package let uplinks: [VerdaccioUplink]
    /// The largest body Verdaccio takes, in bytes; 10 MiB unless configured.
    package let maxBodyBytes: Int
    /// The address it is reached at from this machine, without a slash at its end; `nil` where `listen` says none.
    package let url: String?

    /// Reads a configuration.
    ///
    /// - Parameter environmentStoragePath: the value of `VERDACCIO_STORAGE_PATH`, which overrides `storage:`.
    /// - Throws: `VerdaccioSettingsError` naming file and line; `FileSystemError`.
    package init(contentsOf path: FilePath, environmentStoragePath: String?) throws {
        guard let bytes = try DiskFileSystem().contents(of: path, limit: 4 << 20) else {
            throw VerdaccioSettingsError(path: path, line: nil, reason: "there is no such file")
        }
        let documents: [YAMLNode]
        do { documents = try YAMLParser.parse(bytes, aliases: .expanded) } catch {
            throw VerdaccioSettingsError(path: path, line: error.line, reason: error.reason)
        }
        guard documents.count == 1, let mapping = documents.first, mapping.members != nil else {
            throw VerdaccioSettingsError(path: path, line: documents.last?.line, reason: "one mapping was expected")
        }
        let directory = path.removingLastComponent()
        let written = environmentStoragePath ?? mapping["storage"]?.text
        guard let written else { throw VerdaccioSettingsError(path: path, line: nil, reason: "\"storage\" is missing") }
        let place = FilePath(written).isAbsolute ? FilePath(written) : directory.appending(written)
        // "./storage" is what most write; a ".." may lead through a link, and stays.
        storage = FilePath(root: place.root, place.components.filter { $0.kind != .currentDirectory })
        var rules: [Rule] = []
        if let packages = mapping["packages"], !packages.isEmpty {
            guard let entries = packages.members else {
                throw VerdaccioSettingsError(path: path, line: packages.line, reason: "\"packages\" must be a mapping")
            }
            for (key, value) in entries {
                let storage = value["storage"]?.text
                if let storage, storage.split(separator: "/").contains("..") {
                    throw VerdaccioSettingsError(path: path, line: value.line, reason: "\"\(storage)\" leads out of the storage")
                }
                let proxy = value["proxy"]
                let names = proxy?.elements?.compactMap(\.text) ?? proxy?.text?.split(separator: " ").map(String.init) ?? []
                rules.append(Rule(pattern: key.text ?? "", storage: storage, proxy: names))
            }
        }
        self.rules = rules
        uplinks = try (mapping["uplinks"]?.members ?? []).map { key, value in
            try VerdaccioUplink(name: key.text ?? "", value, in: path)
        }
        let limit = mapping["max_body_size"]?.text ?? "10mb"
        guard let maxBodyBytes = Self.bytes(limit) else {
            throw VerdaccioSettingsError(path: path, line: mapping["max_body_size"]?.line, reason: "\"\(limit)\" is not a size")
        }
        self.maxBodyBytes = maxBodyBytes
        let listen = mapping["listen"]
        url = (listen?.elements?.compactMap(\.text) ?? listen?.text.map { [$0] } ?? []).lazy.compactMap(Self.url).first
    }

    /// The address at which a client finds what listens at `4873`, `localhost:4873`, `https://[::]:4873/`; `nil` for a socket of Unix.
    private static func url(listeningAt text: String) -> String? {
        let scheme = ["http", "https"].last { text.hasPrefix("\($0):") }
        var rest = text.dropFirst(scheme.map { $0.count + 1 } ?? 0)
        if scheme != nil, rest.hasPrefix("//") { rest = rest.dropFirst(2) }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        let port = rest.split(separator: ":", omittingEmptySubsequences: false).last ?? ""
        guard let number = Int(port), (1...65_535).contains(number) else { return nil }
        let host = rest.dropLast(port.count + 1)
        // Who listens everywhere is found here, too.
        let name = ["": "localhost", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"][String(host)] ?? String(host)
        guard !name.contains("/"), !name.contains(":") || name.hasPrefix("[") && name.hasSuffix("]") else { return nil }
        return "\(scheme ?? "http")://\(name):\(number)"
    }

    /// The uplinks a package is fetched from, in their order; empty for packages that live here alone.
    package func uplinks(for package: String) -> [VerdaccioUplink] {
        (rule(for: package)?.proxy ?? []).compactMap { name in uplinks.first { $0.name == name } }
    }

    /// `10mb`, `1.5gb`, `2048`: the form of body-parser's `bytes`, with powers of 1,024.
    private static func bytes(_ text: String) -> Int? {
        let units = ["": 1.0, "b": 1, "kb": 1024, "mb": 1_048_576, "gb": 1_073_741_824]
        return quantity(text.lowercased(), units).flatMap { Int(exactly: $0.rounded()) }
    }

    /// The sub-directory of the storage a package lies in; `nil` for the storage itself.
    ///
    /// An absolute path is one below it, too.
    package func storageSubdirectory(for package: String) -> String? {
        rule(for: package).flatMap { Self.subdirectory($0) }
    }

    /// Every sub-directory that a package may lie in, in the order of the configuration.
    package var storageSubdirectories: [String] {
        var seen: Set<String> = []
        return rules.compactMap { Self.subdirectory($0) }.filter { !$0.isEmpty && seen.insert($0).inserted }
    }

    private static func subdirectory(_ rule: Rule) -> String? {
        rule.storage.map { $0.split(separator: "/").filter { $0 != "." }.joined(separator: "/") }
    }

    private func rule(for package: String) -> Rule? { rules.first { PackagePattern($0.pattern).matches(package) } }
}

/// A number directly followed by its unit, or by spaces and its unit, in terms of the unit that counts 1.
///
/// `nil` for what is no number, and for a unit that is not among these.
func quantity(_ text: some StringProtocol, _ units: [String: Double]) -> Double? {
    let digits = text.prefix { $0.isNumber || $0 == "." }
    guard let number = Double(digits), let factor = units[String(text.dropFirst(digits.count).drop { $0 == " " })] else { return nil }
    return number * factor
}

/// A configuration that cannot be used.
package struct VerdaccioSettingsError: Error, Equatable, CustomStringConvertible {
    package let path: FilePath
    package let line: Int?
    package let reason: String

    package var description: String { "verdaccio's configuration \"\(path)\"\(line.map { ", line \($0)" } ?? ""): \(reason)" }
}
