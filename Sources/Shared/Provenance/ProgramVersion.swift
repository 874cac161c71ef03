/// What a program of this package is: its version, and what it was built from.
package struct ProgramVersion: Sendable, Hashable {
    /// The version of all programs of this package, by semver.
    package static let number = "0.1.0"

    /// Such as `ferry-offline`.
    package let program: String
    /// The commit of the sources, in full; `nil` where they came without one.
    package let commit: String?
    /// Whether the sources were not quite those of the commit.
    package let isChanged: Bool

    /// The version of this build.
    package init(of program: String) {
        self.init(of: program, commit: builtCommit.isEmpty ? nil : builtCommit, isChanged: builtFromChanges)
    }

    package init(of program: String, commit: String?, isChanged: Bool) {
        self.program = program
        self.commit = commit
        self.isChanged = isChanged
    }

    /// One line: `ferry-offline 0.1.0 (1018454c2d7e)`.
    package var line: String { "\(program) \(Self.number)\(commit.map { " (\($0.prefix(12))\(isChanged ? ", changed" : ""))" } ?? "")" }

    /// What `--version` prints: name and version on the first line, then what was built, then what it reads and writes.
    package func text(_ facts: [(name: String, value: String)]) -> String {
        let source = commit.map { "\($0)\(isChanged ? ", with changes" : "")" } ?? "unknown"
        let lines = [(name: "commit", value: source)] + facts
        let width = lines.reduce(0) { max($0, $1.name.count) }
        let rows = lines.map { "\($0.name)\(String(repeating: " ", count: width - $0.name.count))  \($0.value)" }
        return (["\(program) \(Self.number)"] + rows).joined(separator: "\n")
    }
}
