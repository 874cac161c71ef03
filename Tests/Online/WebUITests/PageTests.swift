import Dispatch
import Foundation
import Testing

/// The page, in a real browser before the real server: what a person does stands in `Tests/Support/Browser/scenarios.py`.
@Suite(.serialized) struct PageTests {
    private static let top = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let python = top.appendingPathComponent(".build/page/bin/python").path
    private static let scenarios = top.appendingPathComponent("Tests/Support/Browser/scenarios.py").path

    static let names = [
        "the page's types are those of the service's document",
        "a full refresh is started and watched to its end, and what follows on it",
        "a dry run says what would be done and changes nothing",
        "a bundle is asked for by the names of destinations and of what they have",
        "a job that hangs is cancelled",
        "packages are searched, sorted and opened, and the back button leads back",
        "a broken archive is found, repaired and proved again",
        "a bundle is looked into, proved and compared",
        "a log is followed, searched and wrapped",
        "the language is switched, whole, and stays",
        "a theme is chosen and stays",
        "the server is lost and comes back, and the page goes on by itself",
        "what others start shows by itself",
        "a schedule is paused, goes on and is started",
        "everything can be reached by the keyboard",
        "an empty state says what to do",
        "axe finds no violation, in either theme, language and size",
        "no page is wider than a phone, or a window of 1280",
    ]
    static let mounting = [
        "a bundle is exported to a medium that is plugged in meanwhile",
        "a bundle that no stick has room for goes over two of them",
        "a destination introduces itself, is confirmed by its fingerprint, and is treated and forgotten",
        "a request is shown with what is asked for, approved, and followed to its job",
        "a request for a filler shows the bundle that did not fit, and the filler is made",
        "a medium shows what came back on it, and a receipt of a restored destination is accepted",
        "the dashboard says how far behind destinations are, and what is to be decided first",
    ]

    @Test(arguments: names)
    func `a person can use the page`(scenario: String) async throws { try await play(scenario) }

    @Test(.enabled(if: mayMount, "this machine lets nobody mount in a namespace"), arguments: mounting)
    func `a person can use what is plugged in`(scenario: String) async throws { try await play(scenario) }

    @Test func `every scenario is played`() async throws {
        let listed = try await run(Self.python, [Self.scenarios, "list"]).words.split(separator: "\n").map(String.init)
        #expect(Set(listed) == Set(Self.names + Self.mounting))
    }

    @Test func `the types of the page hold`() async throws {
        let found = try await run("/usr/bin/env", ["tsc", "-p", Self.top.appendingPathComponent("Sources/Online/WebUI").path])
        #expect(found.status == 0, "\(found.words)")
    }

    private func play(_ scenario: String) async throws {
        try #require(FileManager.default.isExecutableFile(atPath: Self.python), "playwright is missing; \"scripts/setup\" installs it")
        let found = try await run(Self.python, [Self.scenarios, scenario])
        #expect(found.status == 0, "\(found.words)")
    }

    /// Whether the server can be given mounts of its own.
    private static let mayMount: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["unshare"] + (getuid() == 0 ? [] : ["--user", "--map-root-user"]) + ["--mount", "true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    /// Runs a program to its end, and waits for it without holding one of Swift's threads.
    private func run(_ program: String, _ arguments: [String]) async throws -> (status: Int32, words: String) {
        try await withCheckedThrowingContinuation { go in
            DispatchQueue.global().async {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: program)
                process.arguments = arguments
                // The programs of this build lie beside the tests.
                let build =
                    Bundle.main.executableURL?.deletingLastPathComponent().path ?? Self.top.appendingPathComponent(".build/debug").path
                process.environment = ProcessInfo.processInfo.environment.merging(["FERRY_BUILD": build]) { $1 }
                let output = Pipe()
                process.standardOutput = output
                process.standardError = output
                do { try process.run() } catch { return go.resume(throwing: error) }
                let words = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                go.resume(returning: (process.terminationStatus, words))
            }
        }
    }
}
