import Platform
package import SystemPackage
import YAML

/// A `ferry.yaml`.
package struct SettingsFile: Sendable {
    package let path: FilePath
    /// The members of its mapping; none where it could not be read.
    let members: [(key: YAMLNode, value: YAMLNode)]
    /// Why it could not be read.
    let problems: [SettingsProblem]

    /// Bytes that are read of one.
    private static let sizeLimit = 1 << 20

    /// Reads a file.
    ///
    /// What is no YAML, or holds a key twice, is found when the keys are asked for.
    ///
    /// - Throws: `SettingsError` where there is no such file; `FileSystemError`.
    package init(contentsOf path: FilePath, namedBy source: SettingSource = .builtIn) throws {
        guard let bytes = try DiskFileSystem().contents(of: path, limit: Self.sizeLimit) else {
            throw SettingsError([SettingsProblem(source: source, words: "there is no file \"\(path)\"")])
        }
        self.init(bytes, path: path)
    }

    /// Takes the bytes of a file.
    package init(_ bytes: [UInt8], path: FilePath) {
        self.path = path
        var members: [(key: YAMLNode, value: YAMLNode)] = []
        var problems: [SettingsProblem] = []
        func complain(_ line: Int?, _ words: String) {
            problems.append(SettingsProblem(source: .file(path, line: line ?? 1), words: words))
        }
        do throws(YAMLError) {
            let documents = try YAMLParser.parse(bytes, aliases: .expanded)
            if documents.count > 1 { complain(documents[1].line, "one document was expected, and there are \(documents.count)") }
            if let root = documents.first, !root.isEmpty {
                members = root.members ?? []
                if root.members == nil { complain(root.line, "keys with values were expected") }
            }
        } catch {
            complain(error.line, error.reason)
        }
        self.members = members
        self.problems = problems
    }

    /// The file to go by: the one that is named, else `ferry.yaml` in the state directory, else `/etc/ferry/ferry.yaml`; `nil` where
    /// there is none.
    ///
    /// - Parameters:
    ///   - flag: what `--config` names.
    ///   - state: the state directory as far as flags and environment say it.
    ///   - machine: the file that is for the whole machine.
    /// - Throws: `SettingsError` where a file is named that is not there; `FileSystemError`.
    package static func find(
        flag: String?, environment: (String) -> String?, state: FilePath?, machine: FilePath = "/etc/ferry/ferry.yaml"
    ) throws -> SettingsFile? {
        if let flag { return try SettingsFile(contentsOf: FilePath(flag), namedBy: .flag("--config")) }
        if let name = environment("FERRY_CONFIG") {
            return try SettingsFile(contentsOf: FilePath(name), namedBy: .environment("FERRY_CONFIG"))
        }
        for path in [state?.appending("ferry.yaml"), machine] {
            guard let path, let bytes = try DiskFileSystem().contents(of: path, limit: sizeLimit) else { continue }
            return SettingsFile(bytes, path: path)
        }
        return nil
    }

    /// What stands at a key such as `space.warning.free`; `nil` where nothing does.
    func node(_ key: String) -> YAMLNode? {
        var members: [(key: YAMLNode, value: YAMLNode)]? = self.members
        var node: YAMLNode?
        for part in key.split(separator: ".") {
            node = members?.first { $0.key.text == String(part) }?.value
            members = node?.members
        }
        return node
    }
}
