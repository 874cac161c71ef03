import AsyncHTTPClient
package import CanonicalJSON
import Foundation
import Glibc
import NIOCore
import NIOHTTP1
import Platform
package import SystemPackage

/// What a running registry answered.
package struct RegistryAnswer: Sendable {
    package let status: Int
    package let body: [UInt8]

    /// The body as JSON; `nil` where it is none.
    package var json: JSONValue? { try? JSONParser.parse(body, mode: .likeJavaScript) }
    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// A registry that runs in a process of its own over a storage in a temporary directory.
package final class RegistryProcess: Sendable {
    /// What a test may set of the configuration.
    package struct Options: Sendable {
        /// The address of the one uplink, `up`; `nil` for a registry without.
        package var uplink: String?
        /// Further lines of the uplink, in YAML's flow form: `maxage: 0s, timeout: 1s`.
        package var uplinkSettings = "maxage: 10m"
        /// Further lines of the configuration.
        package var settings = ""
        /// Entries of `packages` before the one that matches all.
        package var packages = ""

        package init(uplink: String? = nil) { self.uplink = uplink }
    }

    /// The address, without a slash at its end.
    package let url: String
    /// The storage directory.
    package let storage: FilePath
    private let files = DiskFileSystem()

    private let processID: pid_t

    private init(url: String, storage: FilePath, processID: pid_t) {
        self.url = url
        self.storage = storage
        self.processID = processID
    }

    /// Kills the program, as a power cut would.
    package func stop() { kill(processID, SIGKILL) }

    /// Runs a registry for as long as the closure runs.
    ///
    /// - Throws: what the closure throws; `StartFailure` where the program ended before it listened.
    package static func run<Value>(
        _ program: RegistryProgram, _ options: Options = Options(), _ body: (RegistryProcess) async throws -> Value
    ) async throws -> Value {
        let files = DiskFileSystem()
        let root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-registry-\(UUID().uuidString)")
        let storage = root.appending("storage")
        try files.createDirectories(storage)
        defer { try? files.removeTree(root) }
        try files.write(Array(configuration(options).utf8), to: root.appending("config.yaml"))

        let process = Process()
        process.executableURL = URL(fileURLWithPath: program.path)
        process.arguments = ["-c", root.appending("config.yaml").string, "-l", "127.0.0.1:\(try freePort())"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer { kill(process.processIdentifier, SIGKILL) }
        let url = try readAddress(output.fileHandleForReading)
        return try await body(RegistryProcess(url: url, storage: storage, processID: process.processIdentifier))
    }

    /// The program ended, or closed its output, before it said where it listens.
    package struct StartFailure: Error { package let output: String }

    private static func configuration(_ options: Options) -> String {
        let uplinks = options.uplink.map { "uplinks:\n  up: {url: '\($0)/', \(options.uplinkSettings)}\n" } ?? ""
        let proxy = options.uplink == nil ? "" : ", proxy: up"
        return """
            storage: ./storage
            auth: {htpasswd: {file: ./htpasswd}}
            log: {type: stdout, format: json, level: warn}
            \(options.settings)
            \(uplinks)packages:
            \(options.packages)
              '**': {access: $all, publish: $all, unpublish: $all\(proxy)}

            """
    }

    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard result else { throw Errno(rawValue: errno) }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func readAddress(_ output: FileHandle) throws -> String {
        var text = ""
        while true {
            let data = output.availableData
            guard !data.isEmpty else { throw StartFailure(output: text) }
            text += String(decoding: data, as: UTF8.self)
            guard let start = text.range(of: "http address - http://") else { continue }
            let host = text[start.upperBound...].prefix { $0 != "/" }
            if host.endIndex < text.endIndex { return "http://\(host)" }
        }
    }

    // MARK: Requests

    /// The answer had not ended when its time was over.
    package struct NoAnswer: Error {}

    /// Sends one request and reads the whole answer.
    ///
    /// The client's own deadline ends with the head of an answer; this one holds to the end of its body.
    ///
    /// - Throws: `NoAnswer`; what the client throws, a cut body among it.
    package func send(
        _ method: String, _ path: String, body: JSONValue? = nil, headers: [String: String] = [:], timeout: Duration = .seconds(60)
    ) async throws -> RegistryAnswer {
        var request = HTTPClientRequest(url: url + path)
        request.method = HTTPMethod(rawValue: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body.canonicalBytes))
        }
        return try await withThrowingTaskGroup(of: RegistryAnswer.self) { [request] group in
            group.addTask {
                let response = try await HTTPClient.shared.execute(request, timeout: .hours(1))
                let bytes = try await response.body.collect(upTo: 64 << 20)
                return RegistryAnswer(status: Int(response.status.code), body: Array(bytes.readableBytesView))
            }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw NoAnswer()
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next() else { throw NoAnswer() }
            return answer
        }
    }

    package func get(_ path: String) async throws -> RegistryAnswer { try await send("GET", path) }

    // MARK: The storage

    /// The bytes of a file of the storage; `nil` where there is none.
    package func file(_ path: String) throws -> [UInt8]? { try files.contents(of: storage.appending(path), limit: 64 << 20) }

    /// A packument of the storage; `nil` where there is none that can be read.
    package func packument(_ name: String) throws -> JSONObject? {
        try file("\(name)/package.json").flatMap { try? JSONParser.parse($0, mode: .likeJavaScript).object }
    }

    /// Writes a file of the storage and makes the directories above it.
    package func put(_ bytes: [UInt8], at path: String) throws {
        let path = storage.appending(path)
        try files.createDirectories(path.removingLastComponent())
        try files.write(bytes, to: path)
    }

    package func remove(_ path: String) throws { try files.removeTree(storage.appending(path)) }

    /// The names in a directory of the storage, sorted.
    package func names(in path: String) throws -> [String] { (try files.names(in: storage.appending(path)) ?? []).sorted() }

    /// Changes a packument of the storage by hand.
    package func edit(_ name: String, _ change: (inout JSONObject) -> Void) throws {
        guard var packument = try packument(name) else { return }
        change(&packument)
        try put(JSONValue.object(packument).canonicalBytes, at: "\(name)/package.json")
    }

    /// Waits until something is true of the storage.
    ///
    /// The registry is another process, and its disk follows its answer; nothing tells when. Gives up after 20 s.
    package func eventually(_ isTrue: () throws -> Bool) async throws -> Bool {
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .seconds(20) {
            if try isTrue() { return true }
            try await Task.sleep(for: .milliseconds(2))
        }
        return false
    }
}
