import Platform
package import SystemPackage
import Yams

/// What Ferry needs of Verdaccio's `config.yaml` (versions 5 and 6).
package struct VerdaccioSettings: Sendable {
    /// One entry of `packages`.
    package struct Rule: Sendable {
        /// The pattern as it is written.
        package let pattern: String
        /// The sub-directory of the storage these packages lie in.
        package let storage: String?
    }

    /// The storage directory, absolute where the configuration's path is.
    package let storage: FilePath
    /// The entries of `packages` in their order; the first that matches counts.
    package let rules: [Rule]

    /// Reads a configuration.
    ///
    /// - Parameter environmentStoragePath: the value of `VERDACCIO_STORAGE_PATH`, which overrides `storage:`.
    /// - Throws: `VerdaccioSettingsError` naming file and line; `FileSystemError`.
    package init(contentsOf path: FilePath, environmentStoragePath: String?) throws {
        guard let bytes = try DiskFileSystem().contents(of: path, limit: 4 << 20) else {
            throw VerdaccioSettingsError(path: path, line: nil, reason: "there is no such file")
        }
        let node: Node?
        do { node = try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self)) } catch {
            throw VerdaccioSettingsError(path: path, line: nil, reason: "\(error)")
        }
        guard let mapping = node?.mapping else {
            throw VerdaccioSettingsError(path: path, line: node?.mark?.line, reason: "a mapping was expected")
        }
        let directory = path.removingLastComponent()
        let written = environmentStoragePath ?? mapping["storage"]?.string
        guard let written else { throw VerdaccioSettingsError(path: path, line: nil, reason: "\"storage\" is missing") }
        storage = FilePath(written).isAbsolute ? FilePath(written) : directory.appending(written)
        var rules: [Rule] = []
        if let packages = mapping["packages"], packages != Node("") {
            guard let entries = packages.mapping else {
                throw VerdaccioSettingsError(path: path, line: packages.mark?.line, reason: "\"packages\" must be a mapping")
            }
            for (key, value) in entries {
                let storage = value.mapping?["storage"]?.string
                if let storage, storage.split(separator: "/").contains("..") {
                    throw VerdaccioSettingsError(path: path, line: value.mark?.line, reason: "\"\(storage)\" leads out of the storage")
                }
                rules.append(Rule(pattern: key.string ?? "", storage: storage))
            }
        }
        self.rules = rules
    }

    /// The sub-directory of the storage a package lies in; `nil` for the storage itself.
    ///
    /// An absolute path is one below it, too.
    package func storageSubdirectory(for package: String) -> String? {
        let rule = rules.first { PackagePattern($0.pattern).matches(package) }
        return rule?.storage.map { $0.split(separator: "/").filter { $0 != "." }.joined(separator: "/") }
    }
}

/// A configuration that cannot be used.
package struct VerdaccioSettingsError: Error, Equatable, CustomStringConvertible {
    package let path: FilePath
    package let line: Int?
    package let reason: String

    package var description: String { "verdaccio's configuration \"\(path)\"\(line.map { ", line \($0)" } ?? ""): \(reason)" }
}
