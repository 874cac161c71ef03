import Foundation
import Provenance
import Testing

@Suite struct ProgramVersionTests {
    /// A folder of sources with the script that asks for their commit, gone with this value.
    private final class Sources {
        static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../../Sources/Shared/Provenance/commit.sh"
        ).standardizedFileURL.path

        let root = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-commit-\(UUID().uuidString)").path
        var tree: String { "\(root)/tree" }
        var answer: String { "\(root)/made/BuiltCommit.swift" }

        init() throws {
            try FileManager.default.createDirectory(atPath: "\(tree)/Sources", withIntermediateDirectories: true)
            try write("one", to: "Sources/a.swift")
        }

        deinit { try? FileManager.default.removeItem(atPath: root) }

        func write(_ text: String, to path: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(tree)/\(path)"))
        }

        @discardableResult func run(_ words: String..., variables: [String: String] = [:]) throws -> String {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = words
            process.environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
            let output = Pipe()
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            try process.run()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(words)")
            return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
        }

        /// Makes a repository with one commit and returns that.
        func commit() throws -> String {
            try run("git", "-C", tree, "init", "-q")
            try run("git", "-C", tree, "add", "-A")
            try run("git", "-C", tree, "-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "one")
            return try run("git", "-C", tree, "rev-parse", "HEAD")
        }

        /// What the script says of the tree, as two lines of Swift.
        func ask(_ script: String = Sources.script, variables: [String: String] = [:]) throws -> String {
            try run("sh", script, tree, answer, variables: variables)
            return try String(contentsOfFile: answer, encoding: .utf8)
        }
    }

    private func lines(_ commit: String, changed: Bool = false) -> String {
        "let builtCommit = \"\(commit)\"\nlet builtFromChanges = \(changed)\n"
    }

    @Test func `a clone says its commit, and whether it was changed`() throws {
        let sources = try Sources()
        let commit = try sources.commit()
        #expect(try sources.ask() == lines(commit))
        try sources.write("two", to: "Sources/b.swift")
        #expect(try sources.ask() == lines(commit, changed: true))
    }

    @Test func `an answer that is the same is not written again`() throws {
        let sources = try Sources()
        _ = try sources.commit()
        _ = try sources.ask()
        let first = try FileManager.default.attributesOfItem(atPath: sources.answer)[.modificationDate] as? Date
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: sources.answer)
        _ = try sources.ask()
        let second = try FileManager.default.attributesOfItem(atPath: sources.answer)[.modificationDate] as? Date
        #expect(first != nil && second == Date(timeIntervalSince1970: 1))
    }

    @Test func `sources without a repository have no commit, nor that of a repository around them`() throws {
        let sources = try Sources()
        #expect(try sources.ask() == lines(""))
        try sources.run("git", "-C", sources.root, "init", "-q")
        #expect(try sources.ask() == lines(""))
    }

    @Test func `the repository of a hook is not taken for that of the sources`() throws {
        let (sources, other) = (try Sources(), try Sources())
        let commit = try sources.commit()
        try other.write("another", to: "Sources/a.swift")
        _ = try other.commit()
        #expect(try sources.ask(variables: ["GIT_DIR": "\(other.tree)/.git", "GIT_WORK_TREE": other.tree]) == lines(commit))
    }

    @Test func `an archive of sources says the commit that it was made of`() throws {
        let sources = try Sources()
        let folder = URL(fileURLWithPath: Sources.script).deletingLastPathComponent()
        for name in ["commit.sh", ".gitattributes"] {
            try sources.write(String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8), to: "Sources/\(name)")
        }
        let commit = try sources.commit()
        try sources.run("sh", "-c", "git -C \"$1\" archive --prefix=out/ HEAD | tar -xf - -C \"$2\"", "sh", sources.tree, sources.root)
        try FileManager.default.removeItem(atPath: sources.tree)
        try FileManager.default.moveItem(atPath: "\(sources.root)/out", toPath: sources.tree)
        #expect(try sources.ask("\(sources.tree)/Sources/commit.sh") == lines(commit))
    }

    @Test func `a version is one line, or all that there is to know`() {
        let commit = "1018454c2d7e6b1f0a9c8d7e6f5a4b3c2d1e0f9a"
        let version = ProgramVersion(of: "ferry-x", commit: commit, isChanged: true)
        #expect(version.line == "ferry-x \(ProgramVersion.number) (1018454c2d7e, changed)")
        #expect(
            version.text([("databases", "none")])
                == "ferry-x \(ProgramVersion.number)\ncommit     \(commit), with changes\ndatabases  none")
        let unknown = ProgramVersion(of: "ferry-x", commit: nil, isChanged: false)
        #expect(unknown.line == "ferry-x \(ProgramVersion.number)" && unknown.text([]).hasSuffix("\ncommit  unknown"))
    }
}
