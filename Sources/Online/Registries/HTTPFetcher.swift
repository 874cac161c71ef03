import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import Platform
import Synchronization
import SystemPackage

/// Asks registries over HTTP, and counts how often.
///
/// It waits for an answer, and for each further piece of one, as long as `idle`; how long the whole takes does not matter.
package final class HTTPFetcher: Sendable {
    /// Why there was no whole answer.
    package enum Failure: Error, Equatable, CustomStringConvertible {
        /// No connection; words.
        case unreachable(String)
        /// Nothing came for the idle time.
        case stalled
        /// The answer broke off.
        case cut
        /// It is none that HTTP knows, or leads round in circles; words.
        case useless(String)
        /// It was larger than it may be.
        case tooLarge
        case cancelled

        package var description: String {
            switch self {
            case .unreachable(let reason): "no connection: \(reason)"
            case .useless(let reason): reason
            case .stalled: "no byte came for the idle time"
            case .cut: "the answer broke off"
            case .tooLarge: "the answer is too large"
            case .cancelled: "cancelled"
            }
        }
    }

    package struct Answer: Sendable {
        package let status: Int
        package let etag: String?
        /// What the head says of the body's length.
        package let length: Int64?
        package let body: [UInt8]
    }

    private let client: HTTPClient
    private let count = Mutex(0)

    /// Requests that were sent so far.
    package var requests: Int { count.withLock { $0 } }

    /// - Parameters:
    ///   - connections: how many a host is given at once.
    ///   - decompresses: whether answers may come compressed; a tarball is to come as it is.
    package init(connections: Int, idle: Duration, decompresses: Bool) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .follow(max: 5, allowCycles: false),
            timeout: .init(connect: .seconds(10), read: .milliseconds(idle.milliseconds)))
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
        // Who waits for a registry decides so, and how long.
        configuration.connectionPool.retryConnectionEstablishment = false
        if decompresses { configuration.decompression = .enabled(limit: .none) }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Closes every connection; to be called once, at the end.
    package func shutdown() async { try? await client.shutdown() }

    /// Asks for something and reads the whole answer, whatever its status.
    ///
    /// - Throws: `Failure`, `.tooLarge` where it has more than `limit` bytes.
    package func get(_ url: String, headers: [(String, String)], limit: Int) async throws(Failure) -> Answer {
        var body: [UInt8] = []
        let head = try await stream(url, headers: headers) { piece throws(Failure) in
            guard body.count + piece.count <= limit else { throw .tooLarge }
            body += piece
        }
        return Answer(status: head.status, etag: head.etag, length: head.length, body: body)
    }

    /// Asks for the head of something; the answer's `body` is empty.
    func head(_ url: String, headers: [(String, String)]) async throws(Failure) -> Answer {
        try await send(.HEAD, url, headers) { _ in }
    }

    /// Asks for something and hands over the answer piece by piece, whatever its status.
    ///
    /// - Returns: the head; its `body` is empty.
    func stream(
        _ url: String, headers: [(String, String)], _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) async throws(Failure) -> Answer {
        try await send(.GET, url, headers, body)
    }

    private func send(
        _ method: HTTPMethod, _ url: String, _ headers: [(String, String)], _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) async throws(Failure) -> Answer {
        count.withLock { $0 += 1 }
        do {
            var request = HTTPClientRequest(url: url)
            request.method = method
            for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
            let response = try await client.execute(request, timeout: .hours(24))
            for try await buffer in response.body {
                try buffer.withUnsafeReadableBytes { try body($0) }
            }
            return Answer(
                status: Int(response.status.code), etag: response.headers.first(name: "etag"),
                length: response.headers.first(name: "content-length").flatMap { Int64($0) }, body: [])
        } catch {
            throw Self.failure(error)
        }
    }

    private static func failure(_ error: any Error) -> Failure {
        if let failure = error as? Failure { return failure }
        if Task.isCancelled || error is CancellationError { return .cancelled }
        switch error as? HTTPClientError {
        case .readTimeout?, .deadlineExceeded?: return .stalled
        case .cancelled?: return .cancelled
        case .remoteConnectionClosed?: return .cut
        case .redirectCycleDetected?, .redirectLimitReached?: return .useless("it redirects without end")
        case let error?: return .unreachable(error.shortDescription)
        case nil: break
        }
        if error is HTTPParserError { return .cut }
        if error is NIOHTTPDecompression.DecompressionError { return .useless("it cannot be decompressed") }
        guard let number = systemError(of: error) else { return .unreachable("\(error)") }
        return number == .connectionReset || number == .brokenPipe ? .cut : .unreachable(number.description.lowercased())
    }

    /// The system's own error behind one of NIO's, which wraps one for each address of a host.
    private static func systemError(of error: any Error) -> Errno? {
        if let error = error as? IOError { return Errno(rawValue: error.errnoCode) }
        return "\(error)".firstMatch(of: /errno: ([0-9]+)/).flatMap { Int32($0.1) }.map { Errno(rawValue: $0) }
    }
}
