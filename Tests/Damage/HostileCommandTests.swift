import Archives
import BundleFormat
import Foundation
import Integrity
import Platform
import SystemPackage
import Testing

/// Hostile and damaged bundles through the program: each has its message and its code, and leaves storage and ledger as they were.
@Suite struct HostileCommandTests {
    /// What is wrong with a bundle, and what is said of it.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let words: String
        let bytes: @Sendable () throws -> [UInt8]
    }

    private static func forged(_ name: String, _ words: String, _ change: @escaping @Sendable (inout ForgedBundle) -> Void) -> Case {
        Case(testDescription: name, words: words) {
            var bundle = try ForgedBundle()
            change(&bundle)
            return try bundle.bytes()
        }
    }

    private static func declared(_ path: String, _ words: String = "is not a path of a storage") -> Case {
        forged("a declared path \(path)", words) { bundle in
            bundle.add(path: path, [1], version: "1.0.0")
            bundle.finishManifest()
        }
    }

    static let cases: [Case] = [
        forged("a symbolic link", "regular file") { bundle in
            bundle.entries[0].type = "2"
            bundle.entries[0].link = "/etc/passwd"
        },
        forged("a hard link", "not the declared") { $0.entries[0].type = "1" },
        forged("a device", "regular file") { $0.entries[0].type = "4" },
        forged("another name in the tar", "storage/foo/foo-1.0.0.tgz") { $0.entries[0].path = "storage/../../evil" },
        declared("../evil/evil-1.0.0.tgz"), declared("foo%2f..%2fx/x-1.0.0.tgz"), declared("a\\\\b/b-1.0.0.tgz"),
        declared("foo/x-1.0.0.tgz\\u0000.tgz", "is not a path of a storage"), declared("/abs/abs-1.0.0.tgz"),
        forged("an undeclared file", "evil-1.0.0.tgz") {
            $0.entries.append(ForgedBundle.Entry(path: "storage/foo/evil-1.0.0.tgz", content: [1]))
        },
        forged("a missing file", "foo/package.json") { $0.entries.removeLast() },
        forged("a bomb", "not the declared") { $0.entries[0].content = [UInt8](repeating: 0, count: 64 << 20) },
        forged("a flipped last file", "its digest is not the one the manifest declares") { bundle in
            bundle.entries[bundle.entries.count - 1].content[0] ^= 1
        },
        forged("data behind the tar", "after") { $0.trailing = [UInt8](repeating: 0, count: 100_000) + [1] },
        Case(testDescription: "a cut archive", words: "no trailer") { try ForgedBundle().bytes().dropLast(100) },
        Case(testDescription: "a flipped bit", words: "bytes 0") {
            var bytes = try ForgedBundle().bytes()
            bytes[100] ^= 4
            return bytes
        },
    ]

    @Test(arguments: cases)
    func `it is refused with 3, in words of its own, and nothing was changed`(hostile: Case) throws {
        let files = DiskFileSystem()
        let root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-hostile-\(UUID().uuidString)")
        for name in ["storage", "state"] { try files.createDirectories(root.appending(name)) }
        defer { try? files.removeTree(root) }
        try files.write(hostile.bytes(), to: root.appending("x.tar.zst"))
        #expect(try run(["init", "--allow-unsigned-bundles"], root).status == 0)
        let before = try run(["history", "--json"], root).output
        let result = try run(["import", root.appending("x.tar.zst").string], root)
        #expect(result.status == 3, "\(result)")
        #expect(result.messages.contains(hostile.words) && result.messages.contains("nothing in the storage was changed"), "\(result)")
        #expect(try files.names(in: root.appending("storage")) == [])
        #expect(try run(["history", "--json"], root).output == before && run(["ledger", "verify"], root).status == 0)
    }

    private func run(_ arguments: [String], _ root: FilePath) throws -> (status: Int32, output: String, messages: String) {
        let process = Process()
        process.executableURL = Bundle.main.executableURL?.deletingLastPathComponent().appendingPathComponent("ferry-offline")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging([
            "FERRY_STORAGE": root.appending("storage").string, "FERRY_OFFLINE_STATE": root.appending("state").string,
        ]) { $1 }
        let names = ["output", "messages"].map { root.appending($0).string }
        for name in names { try Data().write(to: URL(fileURLWithPath: name)) }
        process.standardOutput = FileHandle(forWritingAtPath: names[0])
        process.standardError = FileHandle(forWritingAtPath: names[1])
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let texts = try names.map { try String(contentsOfFile: $0, encoding: .utf8) }
        return (process.terminationStatus, texts[0], texts[1])
    }
}
