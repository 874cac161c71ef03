import CanonicalJSON
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization

@testable import HTTPService

/// A small service of things, and what it answers.
struct ThingService {
    enum Kind: String, CaseIterable { case round, square }
    enum Trouble: Error { case locked, secret }

    static let limit = Parameter.integer("limit", in: 1...100, default: 10, "How many.")
    static let kind = Parameter<Kind?>.choice("kind", "Which.")
    static let isBig = Parameter<Bool?>.boolean("big", "Whether big.")
    static let search = Parameter.text("search", .string(maxLength: 5), "A part of the name.")
    static let name = Parameter.path("name", .string(pattern: "^(@[a-z]+/)?[a-z]+$", maxLength: 20), "Its name.") {
        $0 == "nobody" ? nil : $0
    }
    static let wanted = Parameter.query(required: "wanted", .string(), "What.") { $0 }

    static let thing = Schema.named("Thing", .object([Schema.Member("name", .string())]))
    static let content = Array("0123456789".utf8)

    struct Bytes: ByteSource {
        let bytes: [UInt8]
        /// What it claims to have.
        let length: Int64

        func read(_ count: Int, at offset: Int64) throws -> [UInt8] { Array(bytes.dropFirst(Int(offset)).prefix(count)) }
    }

    let responder: OperationResponder
    let log = RecordedLog()

    init(limits: ServiceLimits = ServiceLimits(), adding operations: [HTTPOperation] = [], beside site: WebSite? = nil) {
        responder = OperationResponder(
            Self.operations + operations, as: Self.description, beside: site, allowing: RequestGuard(), limits: limits, logger: log.logger,
            translate: Self.translate)
    }

    static let description = ServiceDescription(title: "Things", version: "1", explanation: "Things.", problemBase: "urn:things:")

    static let translate: @Sendable (any Error) -> Problem? = { error in
        error as? Trouble == .locked ? Problem(.busy, "the box is locked", headers: [("Retry-After", "7")]) : nil
    }

    static let operations: [HTTPOperation] = [
        HTTPOperation(
            .get, "/things", id: "list", tag: "things", "List.",
            parameters: [limit.declaration, kind.declaration, isBig.declaration, search.declaration],
            success: [HTTPOperation.Success(.anyObject, "Things.")]
        ) { request in
            let seen: JSONValue = [
                "limit": .integer(try request.value(of: limit)),
                "kind": (try request.value(of: kind)).map { .string($0.rawValue) } ?? .null,
                "big": (try request.value(of: isBig)).map { .bool($0) } ?? .null, "search": .string(try request.value(of: search)),
            ]
            return .json(seen)
        },
        HTTPOperation(
            .post, "/things", id: "make", tag: "things", "Make.",
            body: HTTPOperation.Body(
                .object([
                    Schema.Member("name", .string(pattern: "^[a-z]+$", maxLength: 20)),
                    Schema.Member("size", .integer(1...9), isRequired: false),
                ])), success: [HTTPOperation.Success(.anyObject, "Made.", status: 201)]
        ) { request in .json(request.body ?? .null, status: 201, headers: [("Location", "/things/x")]) },
        HTTPOperation(
            .get, "/things/{name}", id: "show", tag: "things", "Show.", parameters: [name.declaration], scoped: ["name"],
            success: [HTTPOperation.Success(thing, "The thing.")]
        ) { request in .json(["name": .string(try request.value(of: name))]) },
        HTTPOperation(
            .delete, "/things/{name}", id: "drop", tag: "things", "Drop.", parameters: [name.declaration], scoped: ["name"],
            success: [HTTPOperation.Success(mediaType: nil, "Gone.", status: 204)]
        ) { _ in .empty() },
        HTTPOperation(
            .get, "/things/first", id: "first", tag: "things", "The first.", success: [HTTPOperation.Success(thing, "It.")]
        ) { _ in .json(["name": "the first"]) },
        HTTPOperation(
            .get, "/file", id: "file", tag: "things", "A file.", success: [HTTPOperation.Success(mediaType: "text/plain", "It.")],
            hasRanges: true
        ) { _ in .download(Bytes(bytes: content, length: 10), mediaType: "text/plain", name: "f.txt", revision: "r1") },
        HTTPOperation(
            .get, "/torn", id: "torn", tag: "things", "Torn.", success: [HTTPOperation.Success(mediaType: "text/plain", "It.")]
        ) { _ in .download(Bytes(bytes: content, length: 11), mediaType: "text/plain", name: "f.txt", revision: "r2") },
        HTTPOperation(
            .get, "/wanted", id: "wanted", tag: "things", "Wanted.", parameters: [wanted.declaration],
            success: [HTTPOperation.Success(.anyObject, "It.")]
        ) { request in try await request.blocking { .json([:]) } },
        HTTPOperation(.get, "/locked", id: "locked", tag: "things", "Locked.", success: []) { request in
            try await request.blocking { throw Trouble.locked }
        },
        HTTPOperation(.get, "/secret", id: "secret", tag: "things", "Secret.", success: []) { _ in throw Trouble.secret },
    ]

    func ask(
        _ method: HTTPRequest.Method = .get, _ path: String, _ fields: [(String, String)] = [], body: String = "",
        authority: String? = "localhost"
    ) async throws -> Answered {
        var head = HTTPRequest(method: method, scheme: "http", authority: authority, path: path)
        for (name, value) in fields { head.headerFields.append(HTTPField(name: fieldName(name), value: value)) }
        if !body.isEmpty, head.headerFields[.contentLength] == nil { head.headerFields[.contentLength] = "\(body.utf8.count)" }
        let response = await responder.respond(to: Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body))))
        let collector = BodyCollector()
        var isComplete = true
        do { try await response.body.write(collector) } catch { isComplete = false }
        return Answered(
            status: response.status.code, fields: response.headers, body: collector.bytes, isComplete: isComplete && collector.isFinished)
    }
}

/// An answer as a client has it.
struct Answered {
    let status: Int
    let fields: HTTPFields
    let body: [UInt8]
    let isComplete: Bool

    var text: String { String(decoding: body, as: UTF8.self) }

    var json: JSONObject { (try? JSONParser.parse(body, mode: .strict))?.object ?? JSONObject() }

    /// The word of the problem; `nil` where it is none.
    var problem: String? {
        guard fields[.contentType] == "application/problem+json", json["status"]?.integer == Int64(status), json["title"]?.string != nil,
            json["detail"]?.string != nil, json["instance"]?.string != nil
        else { return nil }
        return json["type"]?.string.map { String($0.dropFirst("urn:things:".count)) }
    }
}

/// Keeps what is written as a body.
final class BodyCollector: ResponseBodyWriter, Sendable {
    private let state = Mutex<(bytes: [UInt8], isFinished: Bool)>(([], false))

    var bytes: [UInt8] { state.withLock(\.bytes) }
    var isFinished: Bool { state.withLock(\.isFinished) }

    func write(_ buffer: ByteBuffer) async throws { state.withLock { $0.bytes += Array(buffer.readableBytesView) } }
    func finish(_ trailingHeaders: HTTPFields?) async throws { state.withLock { $0.isFinished = true } }
}

/// Keeps what is logged.
final class RecordedLog: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock(\.self) }

    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            log.lines.withLock { $0.append("\(event.level): \(event.message) \(metadata)") }
        }
    }
}
