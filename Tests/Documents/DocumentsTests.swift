import Foundation
import Testing

/// What the documents say is so: their commands run, in their order, and end as they say; what the program itself knows best was written by it.
@Suite struct DocumentsTests {
    private static let top = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// A script of this tree, run over the programs of this build.
    private struct Script {
        let status: Int32
        let text: String

        init(_ words: String...) throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["\(DocumentsTests.top.path)/scripts/\(words[0])"] + words.dropFirst()
            let build = Bundle.main.executableURL?.deletingLastPathComponent().path ?? ""
            process.environment = ProcessInfo.processInfo.environment.merging(["FERRY_BUILD": build]) { $1 }
            process.standardInput = FileHandle.nullDevice
            let output = Pipe()
            process.standardOutput = output
            process.standardError = output
            try process.run()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            status = process.terminationStatus
            text = String(decoding: data, as: UTF8.self)
        }
    }

    /// Every document that commands are shown in.
    static let documents: [String] = {
        let docs = (try? FileManager.default.contentsOfDirectory(atPath: top.appendingPathComponent("docs").path)) ?? []
        return ["README.md", "README.ru.md", "CONTRIBUTING.md", "CHANGELOG.md"]
            + docs.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
    }()

    @Test(arguments: documents)
    func `what a document shows can be done`(document: String) throws {
        let run = try Script("documents", document)
        #expect(run.status == 0, "\(run.text)")
    }

    @Test func `settings and interface are written as the program has them`() throws {
        let run = try Script("reference", "--check")
        #expect(run.status == 0, "\(run.text)")
    }

    /// What makes a document wrong, and what is said of it.
    static let faults: [(text: String, words: String)] = [
        ("```sh\nferry-online keys show --colour\n```", "ended with 64, not 0"),
        ("```sh\nferry-online diff nothing   # ends with 78\n```", "not 78"),
        ("```sh\ntrue   # ends with 1\n```", "ended with 0, not 1"),
        ("```sh\nfor one in 1; do\n```", "a command that does not end"),
        ("```bash\ntrue\n```", "unknown kind"),
        ("```console\n$ echo one\ntwo\n```", "shows other output"),
        ("```console\n$ echo 7\n8 more\n```", "shows other output"),
        ("```sh\n# Not run by our tests: needs luck.\ntrue\n```", "is no reason"),
        ("```sh\n# Not run by our tests: needs systemd.\nferry-online scan\n```", "nothing in it needs systemd"),
        ("```sh\n# Not run by our tests: needs systemd.\nferry-online scan --quick\nsystemctl stop x\n```", "has no flag --quick"),
        ("Say `ferry-offline import --force` twice.", "has no flag --force"),
        ("Say `ferry-offline imports`.", "has no command \"imports\""),
    ]

    @Test(arguments: faults)
    func `a document that is wrong is found`(text: String, words: String) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-document-\(UUID().uuidString).md").path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let run = try Script("documents", path)
        #expect(run.status == 1 && run.text.contains(words), "\(run.text)")
    }

    @Test func `the table of modules has every module, and no other`() throws {
        let readme = try String(contentsOf: Self.top.appendingPathComponent("README.md"), encoding: .utf8)
        let table = readme.components(separatedBy: "## The modules").last?.components(separatedBy: "\n## ").first ?? ""
        let named = table.split(separator: "\n").compactMap { $0.firstMatch(of: /^\| (\w+) \|/).map { String($0.1) } }.dropFirst()
        var folders: Set<String> = []
        for side in ["Shared", "Online", "Offline"] {
            let place = Self.top.appendingPathComponent("Sources/\(side)").path
            for name in try FileManager.default.contentsOfDirectory(atPath: place) where name != "SystemLibraries" {
                let isFolder = FileManager.default.fileExists(atPath: "\(place)/\(name)/.")
                if isFolder, !name.hasPrefix("ferry-"), !["CPlatform", "CSHA512Lanes"].contains(name) {
                    folders.insert(name)
                }
            }
        }
        #expect(Set(named) == folders && Set(named).count == named.count)
    }
}
