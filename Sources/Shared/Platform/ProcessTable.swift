package import SystemPackage

/// The processes of the machine, as `/proc` shows them.
package enum ProcessTable {
    /// Who has a file or a working directory below a directory, such as `4711 (bash)`; those that this process may look at.
    ///
    /// - Parameter limit: how many are named at most.
    package static func users(of directory: FilePath, limit: Int = 5, proc: FilePath = "/proc") -> [String] {
        let files = DiskFileSystem()
        let numbers = ((try? files.names(in: proc)) ?? []).compactMap { Int32($0) }.sorted()
        let users = numbers.lazy.compactMap { number -> String? in
            let process = proc.appending("\(number)")
            let open = (try? files.names(in: process.appending("fd")) ?? []) ?? []
            let links = ["cwd", "root"].map { process.appending($0) } + open.map { process.appending("fd").appending($0) }
            guard links.contains(where: { files.target(of: $0)?.starts(with: directory) == true }) else { return nil }
            let name = (try? files.contents(of: process.appending("comm"), limit: 100)).flatMap { $0 } ?? []
            return "\(number) (\(String(decoding: name, as: UTF8.self).split(separator: "\n").first ?? "?"))"
        }
        return Array(users.prefix(limit))
    }
}
