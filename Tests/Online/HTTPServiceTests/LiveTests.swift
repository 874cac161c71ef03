import Foundation
import Glibc
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

@testable import HTTPService

/// The service on a socket of this machine.
@Suite(.serialized) struct LiveTests {
    /// Runs a body against a running service and then shuts that down; the service must end.
    private func serving(
        limits: ServiceLimits = ServiceLimits(), adding operations: [HTTPOperation] = [], _ body: (Int) async throws -> Void
    ) async throws {
        let (ports, port) = AsyncStream<Int>.makeStream()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = WebServer(
            ThingService.operations + operations, as: ThingService.description, port: 0, limits: limits, logger: logger,
            translate: ThingService.translate, onRunning: { port.yield($0) })
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        let running = Task { try await group.run() }
        var iterator = ports.makeAsyncIterator()
        let number = try #require(await iterator.next())
        do { try await body(number) } catch {
            await group.triggerGracefulShutdown()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await running.value
    }

    @Test func `requests are answered one after the other on one connection`() async throws {
        try await serving { port in
            let client = try SocketClient(port: port)
            for _ in 0..<3 {
                client.send("GET /things?limit=5 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                #expect(client.answer()?.hasPrefix("HTTP/1.1 200 OK\r\n") == true)
            }
            client.send("GET /file HTTP/1.1\r\nHost: localhost\r\nRange: bytes=2-4\r\nConnection: close\r\n\r\n")
            let answer = client.rest()
            #expect(answer.hasPrefix("HTTP/1.1 206 Partial Content\r\n") && answer.hasSuffix("\r\n\r\n234"))
        }
    }

    @Test func `a request that is no HTTP has a problem for an answer`() async throws {
        try await serving { port in
            let client = try SocketClient(port: port)
            client.send("GET / HTTP/1.1\r\nHost: localhost\r\nx y: z\r\n\r\n")
            let answer = client.rest()
            #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("application/problem+json"))
        }
    }

    @Test func `header fields without end are refused`() async throws {
        try await serving { port in
            let large = try SocketClient(port: port)
            large.send("GET / HTTP/1.1\r\nHost: localhost\r\nx: \(String(repeating: "y", count: 40 << 10))\r\n\r\n")
            #expect(large.rest().hasPrefix("HTTP/1.1 431 "))
            let many = try SocketClient(port: port)
            many.send("GET / HTTP/1.1\r\nHost: localhost\r\n" + String(repeating: "x: y\r\n", count: 200) + "\r\n")
            #expect(many.rest().hasPrefix("HTTP/1.1 431 "))
        }
    }

    @Test func `two hosts, and none, are refused`() async throws {
        try await serving { port in
            for hosts in ["", "Host: localhost\r\nHost: evil.example\r\n", "Host: evil.example\r\nHost: localhost\r\n"] {
                let client = try SocketClient(port: port)
                client.send("GET /things HTTP/1.1\r\n\(hosts)Connection: close\r\n\r\n")
                let answer = client.rest()
                #expect(answer.hasPrefix("HTTP/1.1 4") && answer.contains("urn:things:"))
            }
        }
    }

    @Test func `a body without end is answered and cut off`() async throws {
        var limits = ServiceLimits()
        limits.lingerTime = .milliseconds(50)
        try await serving(limits: limits) { port in
            let client = try SocketClient(port: port)
            client.send(
                "POST /things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + String(repeating: "1000\r\n\(String(repeating: "x", count: 4096))\r\n", count: 40))
            // The end of the connection is waited for, which only the service brings.
            #expect(client.rest().hasPrefix("HTTP/1.1 413 "))
        }
    }

    @Test func `a listener hears events, and its source is let go when it leaves or the service ends`() async throws {
        let ends = Mutex(0)
        let (ended, end) = AsyncStream<Void>.makeStream()
        let feed = EventFeed(heartbeat: .seconds(3600), clock: ContinuousClock()) { lastID in
            AsyncStream<ServerEvent> { stream in
                stream.onTermination = { _ in
                    ends.withLock { $0 += 1 }
                    end.yield()
                }
                stream.yield(ServerEvent(id: "1", name: "started", data: lastID ?? "nothing"))
            }
        }
        let operation = HTTPOperation(
            .get, "/events", id: "events", tag: "things", "Listen.",
            success: [HTTPOperation.Success(mediaType: "text/event-stream", "Events.")]
        ) { _ in .events(feed) }
        try await serving(adding: [operation]) { port in
            let first = try SocketClient(port: port)
            first.send("GET /events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 42\r\n\r\n")
            #expect(first.until("data: 42\n\n").contains("Content-Type: text/event-stream\r\n"))
            let second = try SocketClient(port: port)
            second.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(second.until("data: nothing\n\n").contains("event: started\n"))
            #expect(ends.withLock(\.self) == 0)
            first.close()
            var iterator = ended.makeAsyncIterator()
            _ = await iterator.next()
            #expect(ends.withLock(\.self) == 1)
        }
        #expect(ends.withLock(\.self) == 2)
    }

    @Test func `a client that leaves in the middle of a file stops it`() async throws {
        let source = Endless()
        let operation = HTTPOperation(
            .get, "/endless", id: "endless", tag: "things", "Endless.",
            success: [HTTPOperation.Success(mediaType: "application/octet-stream", "Zeros.")], hasRanges: true
        ) { _ in .download(source, mediaType: "application/octet-stream", name: "zeros", revision: "1") }
        try await serving(adding: [operation]) { port in
            let client = try SocketClient(port: port)
            client.send("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(client.until("\r\n\r\n").contains("Content-Length: 1099511627776\r\n"))
            client.close()
        }
        // The service has ended, so nothing reads any more; a slow client never had more than its window in memory.
        #expect(source.read < 1 << 30)
    }
}

/// A terabyte of zeros, which counts what was read of it.
private final class Endless: ByteSource {
    private let count = Mutex<Int64>(0)
    let length: Int64 = 1 << 40
    var read: Int64 { count.withLock(\.self) }

    func read(_ count: Int, at offset: Int64) throws -> [UInt8] {
        self.count.withLock { $0 += Int64(count) }
        return [UInt8](repeating: 0, count: count)
    }
}

/// A client that writes and reads bytes, and waits as long as it takes.
private final class SocketClient {
    private var socket: Int32
    private var buffered: [UInt8] = []

    init(port: Int) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let socket = socket
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        let result = address.withSockAddr { pointer, size in connect(socket, pointer, socklen_t(size)) }
        try #require(result == 0)
    }

    deinit { close() }

    func close() {
        if socket >= 0 { Glibc.close(socket) }
        socket = -1
    }

    func send(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private func readMore() -> Bool {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(socket, &piece, piece.count, 0)
        guard count > 0 else { return false }
        buffered += piece[..<count]
        return true
    }

    /// All that has come when it ends with this text, or the connection does.
    func until(_ mark: String) -> String {
        while true {
            let text = String(decoding: buffered, as: UTF8.self)
            if let range = text.range(of: mark) { return String(text[..<range.upperBound]) }
            guard readMore() else { return text }
        }
    }

    /// One whole answer; `nil` where the connection ends before.
    func answer() -> String? {
        let head = until("\r\n\r\n")
        guard head.hasSuffix("\r\n\r\n") else { return nil }
        let length = head.split(separator: "\r\n").lazy.compactMap { line in
            line.hasPrefix("Content-Length: ") ? Int(line.dropFirst(16)) : nil
        }.first
        let whole = head.utf8.count + (length ?? 0)
        while buffered.count < whole { guard readMore() else { return nil } }
        defer { buffered.removeFirst(whole) }
        return String(decoding: buffered[..<whole], as: UTF8.self)
    }

    /// All until the connection ends.
    func rest() -> String {
        while readMore() {}
        return String(decoding: buffered, as: UTF8.self)
    }
}
