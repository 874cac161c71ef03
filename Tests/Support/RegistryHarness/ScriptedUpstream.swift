package import CanonicalJSON
import HTTPTypes
import Hummingbird
import Integrity
import Logging
import NIOCore
import Synchronization

/// An upstream registry in this process whose answers a test writes, and which remembers what it was asked.
package final class ScriptedUpstream: Sendable {
    /// What a path answers.
    package enum Answer: Sendable {
        case bytes([UInt8])
        /// A packument with an ETag; the ETag sent back gets 304.
        case document(JSONValue, etag: String)
        case status(Int)
        /// 200 and a page.
        case page
        /// Declares all the bytes, sends half of them, and closes.
        case cut([UInt8])
        /// Sends half of the bytes in chunks, and closes.
        case cutChunked([UInt8])
        case redirect(String)
        /// Never answers.
        case silence
    }

    /// One request it got.
    package struct Request: Sendable, Equatable {
        package let path: String
        package let etag: String?
    }

    private struct State {
        var answers: [String: Answer] = [:]
        var requests: [Request] = []
    }

    private let state = Mutex(State())
    private let port = Mutex(0)

    /// The address, without a slash at its end.
    package var url: String { "http://127.0.0.1:\(port.withLock { $0 })" }

    /// What was asked so far, in order.
    package var requests: [Request] { state.withLock { $0.requests } }

    /// What was asked since the last call.
    package func takeRequests() -> [Request] {
        state.withLock { state in
            defer { state.requests = [] }
            return state.requests
        }
    }

    package func set(_ path: String, _ answer: Answer) { state.withLock { $0.answers[path] = answer } }

    /// Answers for a package and all its tarballs; the ETag follows the content.
    package func set(_ package: SamplePackage) {
        let document = package.upstreamDocument(at: url)
        let etag = "\"\(SHA512.digest(of: document.canonicalBytes).hex.prefix(16))\""
        set("/" + package.name.replacing("/", with: "%2f"), .document(document, etag: etag))
        for (version, bytes) in package.tarballs { set("/\(package.name)/-/\(package.file(version))", .bytes(bytes)) }
    }

    /// Runs an upstream for as long as the closure runs.
    package static func run<Value: Sendable>(_ body: (ScriptedUpstream) async throws -> Value) async throws -> Value {
        let upstream = ScriptedUpstream()
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "upstream")
        logger.logLevel = .critical
        let application = Application(
            responder: CallbackResponder { (request: Hummingbird.Request, _: BasicRequestContext) in try await upstream.respond(to: request)
            },
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in continuation.yield(channel.localAddress?.port ?? 0) },
            logger: logger)
        let server = Task { try await application.run() }
        defer { server.cancel() }
        for await port in ports {
            upstream.port.withLock { $0 = port }
            break
        }
        return try await body(upstream)
    }

    private func respond(to request: Hummingbird.Request) async throws -> Response {
        // Verdaccio writes the slash of a scope in capitals, the stand-in does not.
        let path = request.uri.path.replacing("%2F", with: "%2f")
        let etag = request.headers[.ifNoneMatch]
        let answer = state.withLock { state in
            state.requests.append(Request(path: path, etag: etag))
            return state.answers[path]
        }
        switch answer {
        case nil: return Response(status: .notFound)
        case .bytes(let bytes):
            // The answer to HEAD says how much there is, and brings nothing.
            if request.method == .head { return Response(status: .ok, body: ResponseBody(contentLength: bytes.count) { _ in }) }
            return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .document(let document, let tag):
            if etag == tag { return Response(status: .notModified, headers: [.eTag: tag]) }
            return Response(
                status: .ok, headers: [.contentType: "application/json", .eTag: tag],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: document.canonicalBytes)))
        case .status(let code): return Response(status: HTTPResponse.Status(code: code))
        case .page: return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: "<html>Sign in</html>")))
        case .cut(let bytes): return Response(status: .ok, body: Self.half(bytes, declared: bytes.count))
        case .cutChunked(let bytes): return Response(status: .ok, body: Self.half(bytes, declared: nil))
        case .redirect(let url): return Response(status: .found, headers: [.location: url])
        case .silence:
            try await Task.sleep(for: .seconds(86_400))
            return Response(status: .ok)
        }
    }

    private struct Cut: Error {}

    private static func half(_ bytes: [UInt8], declared: Int?) -> ResponseBody {
        ResponseBody(contentLength: declared) { writer in
            try await writer.write(ByteBuffer(bytes: bytes.prefix(bytes.count / 2)))
            throw Cut()
        }
    }
}
