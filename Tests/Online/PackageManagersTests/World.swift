import CanonicalJSON
import Foundation
import Glibc
import PackageManagers
import PackageStore
import Platform
import RegistryHarness
import Synchronization
import SystemPackage
import Testing

/// A work directory, and programs of a test's own in the place of npm or pnpm.
final class World: Sendable {
    let root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-installs-\(UUID().uuidString)")
    let files = DiskFileSystem()
    /// What the tools printed.
    private let printed = Mutex<[String]>([])

    var work: FilePath { root.appending("work") }
    var lines: [String] { printed.withLock { $0 } }

    init() throws { try files.createDirectories(work) }

    deinit { try? files.removeTree(root) }

    /// Writes a shell script that is run as the tool.
    func settings(_ tool: PackageManagerDriver.Tool = .npm, script: String) throws -> PackageManagerDriver.Settings {
        let program = root.appending(tool.rawValue)
        try files.write(Array("#!/bin/sh\n\(script)\n".utf8), to: program)
        try files.setAttributes(of: program, owner: getuid(), group: getgid(), mode: 0o755)
        var settings = PackageManagerDriver.Settings(tool: tool, registry: "http://127.0.0.1:1/", workDirectory: work)
        settings.executable = program
        settings.grace = .milliseconds(50)
        return settings
    }

    func driver(
        _ settings: PackageManagerDriver.Settings,
        wait: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) -> PackageManagerDriver {
        PackageManagerDriver(settings, log: { _, line in self.printed.withLock { $0.append(line) } }, wait: wait)
    }

    /// Installs and returns the outcomes.
    func install(_ settings: PackageManagerDriver.Settings, _ names: String...) async throws -> [PackageInstall.Outcome] {
        try await driver(settings).install(try packages(names)).map(\.outcome)
    }

    /// The names below the work directory.
    func leftovers() throws -> [String] { try files.names(in: work) ?? [] }

    func text(_ path: FilePath) throws -> String? {
        try files.contents(of: path, limit: 1 << 20).map { String(decoding: $0, as: UTF8.self) }
    }
}

func packages(_ names: [String]) throws -> [PackageName] { try names.map { try #require(PackageName($0)) } }

/// A named pipe that the test reads: what fake tools say, and whether one of them still lives.
final class Pipe: Sendable {
    let path: FilePath
    private let descriptor: Int32

    init(_ path: FilePath) throws {
        self.path = path
        try #require(path.withPlatformString { mkfifo($0, 0o600) } == 0)
        descriptor = path.withPlatformString { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
    }

    deinit { close(descriptor) }

    /// Reads until as many lines have come; fewer when every writer is gone, or nothing came for a minute.
    func lines(_ count: Int) async -> [String] {
        await read { $0.filter { $0 == UInt8(ascii: "\n") }.count >= count }.text.split(separator: "\n").map(String.init)
    }

    /// Waits until no process holds the other end; `false` when one still does after a minute.
    func isLetGo() async -> Bool { await read { _ in false }.isEnd }

    private func read(until isEnough: @escaping @Sendable ([UInt8]) -> Bool) async -> (text: String, isEnd: Bool) {
        await withCheckedContinuation { continuation in
            // A thread of its own: waiting for another process must not keep a task from going on.
            Thread.detachNewThread { [descriptor] in
                var bytes: [UInt8] = []
                var isEnd = false
                while !isEnough(bytes) {
                    var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                    guard poll(&wanted, 1, 60_000) > 0 else { break }
                    // One at a time, so that what was not asked for stays.
                    var byte: UInt8 = 0
                    guard Glibc.read(descriptor, &byte, 1) == 1 else {
                        isEnd = true
                        break
                    }
                    bytes.append(byte)
                }
                continuation.resume(returning: (String(decoding: bytes, as: UTF8.self), isEnd))
            }
        }
    }
}

/// A time-out that a test ends by hand.
final class ManualTimeout: Sendable {
    private let times = AsyncStream<Void>.makeStream()

    func end() { times.continuation.yield() }

    func wait(_: Duration) async throws {
        for await _ in times.stream { return }
        throw CancellationError()
    }
}

/// A package that npm can unpack.
struct RealPackage {
    var name: String
    var dependencies: [String: String] = [:]
    var scripts: [String: String] = [:]

    /// Answers for version 1.0.0 of the package.
    func publish(on upstream: ScriptedUpstream) throws {
        func object(_ members: [String: String]) -> JSONValue {
            .object(JSONObject(uniqueMembers: members.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
        }
        let manifest: JSONValue = [
            "name": .string(name), "version": "1.0.0", "dependencies": object(dependencies), "scripts": object(scripts),
        ]
        var package = SamplePackage(name, "1.0.0")
        package.tarballs["1.0.0"] = try Self.tarball(of: manifest)
        upstream.set(package)
        var document = try #require(package.upstreamDocument(at: upstream.url).object)
        var entry = try #require(package.entry("1.0.0", at: upstream.url).object)
        entry["dependencies"] = object(dependencies)
        entry["scripts"] = object(scripts)
        entry["hasInstallScript"] = .bool(!scripts.isEmpty)
        document["versions"] = ["1.0.0": .object(entry)]
        upstream.set("/" + name.replacing("/", with: "%2f"), .document(.object(document), etag: "\"\(name)\""))
    }

    private static func tarball(of manifest: JSONValue) throws -> [UInt8] {
        let world = try World()
        let folder = world.root.appending("package")
        try world.files.createDirectories(folder)
        try world.files.write(manifest.canonicalBytes, to: folder.appending("package.json"))
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "-C", world.root.string, "-czf", world.root.appending("package.tgz").string, "package"]
        try tar.run()
        tar.waitUntilExit()
        return try #require(try world.files.contents(of: world.root.appending("package.tgz"), limit: 1 << 20))
    }
}
