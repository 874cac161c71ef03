import CanonicalJSON
import HTTPTypes
import Hummingbird
import Integrity
import Logging
import NIOCore

/// Answers requests by the declarations of operations.
struct OperationResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let table: OperationTable
    /// What stands beside the operations; `nil` for a service without a page.
    let site: WebSite?
    let description: ServiceDescription
    let limits: ServiceLimits
    let requestGuard: RequestGuard
    /// The problem that an error of a handler stands for; `nil` where it is the service's own failure.
    let translate: @Sendable (any Error) -> Problem?
    let logger: Logger
    let work = BlockingWork()

    func respond(to request: Request, context: BasicRequestContext) async -> Response { await respond(to: request) }

    func respond(to request: Request) async -> Response {
        var response: Response
        do {
            response = try await answer(request)
        } catch let problem as Problem {
            response = refusal(problem, request)
        } catch {
            response = refusal(problem(of: error, request), request)
        }
        Self.secure(&response.headers)
        return response
    }

    /// Keeps browsers from guessing types, from showing answers inside other pages, and from handing them to other sites.
    static func secure(_ fields: inout HTTPFields) {
        fields[.xContentTypeOptions] = "nosniff"
        fields[referrerPolicy] = "no-referrer"
        fields[resourcePolicy] = "same-origin"
        if fields[.contentSecurityPolicy] == nil { fields[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'" }
        if fields[.cacheControl] == nil { fields[.cacheControl] = "no-cache" }
    }

    private static let referrerPolicy = fieldName("Referrer-Policy")
    private static let resourcePolicy = fieldName("Cross-Origin-Resource-Policy")
    private static let lastEventID = fieldName("Last-Event-ID")
    private static let chunkSize = 256 << 10

    // MARK: Problems

    private func refusal(_ problem: Problem, _ request: Request) -> Response {
        var fields = HTTPFields()
        fields[.contentType] = MediaType.problem
        for (name, value) in problem.headers { fields[fieldName(name)] = value }
        if problem.kind.status == 503, fields[.retryAfter] == nil { fields[.retryAfter] = "5" }
        let instance = RequestTarget.reference(to: request.head.path ?? "/")
        let body = problem.json(base: description.problemBase, instance: instance).canonicalBytes
        return response(problem.kind.status, fields, body, isHead: request.method == .head)
    }

    private func problem(of error: any Error, _ request: Request) -> Problem {
        if let problem = translate(error) { return problem }
        let id = String(randomBytes(8).reduce("") { $0 + String(0x100 + UInt32($1), radix: 16).dropFirst() })
        logger.error(
            "request failed",
            metadata: [
                "error.id": "\(id)", "error.words": "\(error)", "request.method": "\(request.method)",
                "request.path": "\(RequestTarget.reference(to: request.head.path ?? "/"))",
            ])
        return Problem(.failed, "it was not done; the log has the reason under \(id)", members: ["id": .string(id)])
    }

    // MARK: Requests

    private func answer(_ request: Request) async throws -> Response {
        try requestGuard.check(request.head)
        let path = request.head.path ?? "/"
        guard path.utf8.count <= limits.targetLength else {
            throw Problem(.targetTooLong, "path and query may have \(limits.targetLength) bytes")
        }
        if path == "*", request.method == .options { return allow(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]) }
        let target = try RequestTarget(path)
        if let found = site?.find(target.segments) { return try response(found, to: request) }
        let operation: HTTPOperation
        var texts: [String: String]
        switch table.match(request.method, target.segments) {
        case .nothing: throw Problem(.notFound, "there is no such address; the document of the service lists them")
        case .otherMethods(let methods):
            if request.method == .options { return allow(methods) }
            throw Problem(
                .methodNotAllowed, "\(methods.joined(separator: ", ")) can be done with it",
                headers: [("Allow", methods.joined(separator: ", "))])
        case .found(let found, let values): (operation, texts) = (found, values)
        }
        var values: [String: JSONValue] = [:]
        for (name, value) in target.query {
            guard operation.parameters.contains(where: { $0.place == .query && $0.name == name }) else {
                throw unknown(name, of: operation)
            }
            guard texts.updateValue(value, forKey: name) == nil else {
                throw Problem(.invalidParameter, "\"\(name)\" is given more than once", members: ["parameter": .string(name)])
            }
        }
        for parameter in operation.parameters {
            if let text = texts[parameter.name] {
                values[parameter.name] = try parameter.value(of: text)
            } else if parameter.isRequired {
                throw Problem(
                    .invalidParameter, "\"\(parameter.name)\" is missing; it must be \(parameter.schema.words)",
                    members: ["parameter": .string(parameter.name), "allowed": .string(parameter.schema.words)])
            } else {
                values[parameter.name] = parameter.defaultValue ?? .null
            }
        }
        let body = try await body(of: request, for: operation)
        let asked = OperationRequest(values: values, body: body, work: work)
        let answer =
            operation.isLong
            ? try await request.body.consumeWithCancellationOnInboundClose { _ in try await operation.handle(asked) }
            : try await operation.handle(asked)
        return try response(answer, to: request, isReading: operation.method == .get)
    }

    private func unknown(_ name: String, of operation: HTTPOperation) -> Problem {
        let known = operation.parameters.filter { $0.place == .query }.map(\.name)
        let shown = String(String.UnicodeScalarView(name.unicodeScalars.prefix(60)))
        let allowed = known.isEmpty ? "none" : known.joined(separator: ", ")
        return Problem(
            .invalidParameter, "there is no parameter \"\(shown)\"; known: \(allowed)",
            members: ["parameter": .string(shown), "allowed": .string(allowed)])
    }

    private func allow(_ methods: [String]) -> Response {
        Response(status: .noContent, headers: [.allow: methods.joined(separator: ", ")])
    }

    private func body(of request: Request, for operation: HTTPOperation) async throws -> JSONValue? {
        let declared = request.headers[.contentLength].flatMap { Int($0) }
        let limit = operation.body == nil ? 0 : limits.bodyBytes
        if let declared, declared > limit, operation.body != nil { throw tooLarge(limit) }
        let isEmpty = declared == 0 || (declared == nil && request.headers[.transferEncoding] == nil)
        guard let expected = operation.body else {
            guard isEmpty else { throw Problem(.invalidBody, "no body is taken here") }
            return nil
        }
        guard !isEmpty else {
            guard !expected.isRequired else { throw Problem(.invalidBody, "a body is missing; it must be \(expected.schema.words)") }
            return nil
        }
        let mediaType = request.headers[.contentType].map { $0.prefix { $0 != ";" } }.map { String($0).trimmingSpaces.lowercased() }
        guard mediaType == MediaType.json, request.headers[.contentEncoding] == nil else {
            throw Problem(
                .unsupportedMediaType, "the body must be \(MediaType.json), not encoded", members: ["allowed": .string(MediaType.json)])
        }
        let bytes: [UInt8]
        do { bytes = Array((try await request.body.collect(upTo: limit)).readableBytesView) } catch is NIOTooManyBytesError {
            throw tooLarge(limit)
        }
        let value: JSONValue
        do { value = try JSONParser.parse(bytes, mode: .strict, depthLimit: 32) } catch {
            throw Problem(.invalidBody, "the body is \(error)")
        }
        if let violation = expected.schema.violation(of: value) { throw Problem(.invalidBody, violation) }
        return value
    }

    private func tooLarge(_ limit: Int) -> Problem {
        Problem(.bodyTooLarge, "a body may have \(limit) bytes", members: ["allowed": .string("\(limit) bytes")])
    }

    // MARK: The site

    private func response(_ found: WebSite.Find, to request: Request) throws -> Response {
        if request.method == .options { return allow(["GET", "HEAD", "OPTIONS"]) }
        guard request.method == .get || request.method == .head else {
            throw Problem(.methodNotAllowed, "a page can be read", headers: [("Allow", "GET, HEAD, OPTIONS")])
        }
        switch found {
        case .nothing: throw Problem(.notFound, "the page has no such file; it may be of another version: load it again")
        case .redirect(let place): return Response(status: .found, headers: [.location: place, .contentLength: "0"])
        case .file(let file):
            let isGzipped = takesGzip(request.headers[.acceptEncoding])
            let tag = isGzipped ? file.gzippedTag : file.tag
            var fields: HTTPFields = [
                .contentType: file.mediaType, .eTag: tag.text, .vary: "Accept-Encoding", .contentSecurityPolicy: WebSite.policy,
                .cacheControl: file.isImmutable ? "public, max-age=31536000, immutable" : "no-cache",
            ]
            if isKnown(tag, to: request) { return notModified(fields) }
            if isGzipped { fields[.contentEncoding] = "gzip" }
            return response(200, fields, isGzipped ? file.gzipped : file.content, isHead: request.method == .head)
        }
    }

    // MARK: Answers

    /// - Parameter isReading: whether the operation only reads, so that its answer has a tag.
    private func response(_ answer: Answer, to request: Request, isReading: Bool) throws -> Response {
        var fields = HTTPFields()
        for (name, value) in answer.headers { fields[fieldName(name)] = value }
        let isHead = request.method == .head
        switch answer.body {
        case .none: return Response(status: .init(code: answer.status), headers: fields)
        case .bytes(let bytes, let mediaType):
            fields[.contentType] = mediaType
            if isReading, answer.status == 200 {
                let tag = answer.revision.map { EntityTag(revision: $0) } ?? EntityTag(of: bytes)
                fields[.eTag] = tag.text
                if isKnown(tag, to: request) { return notModified(fields) }
            }
            return response(answer.status, fields, bytes, isHead: isHead)
        case .source(let source, let mediaType):
            fields[.contentType] = mediaType
            fields[.acceptRanges] = "bytes"
            let tag = EntityTag(revision: answer.revision ?? "\(source.length)")
            fields[.eTag] = tag.text
            if isKnown(tag, to: request) { return notModified(fields) }
            return try download(source, tag, fields, request)
        case .events(let feed):
            fields[.contentType] = MediaType.events
            fields[.cacheControl] = "no-store"
            return isHead ? Response(status: .ok, headers: fields) : Response(status: .ok, headers: fields, body: events(feed, request))
        }
    }

    private func response(_ status: Int, _ fields: HTTPFields, _ bytes: [UInt8], isHead: Bool) -> Response {
        var fields = fields
        fields[.contentLength] = "\(bytes.count)"
        let body = isHead ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        return Response(status: .init(code: status), headers: fields, body: body)
    }

    private func isKnown(_ tag: EntityTag, to request: Request) -> Bool {
        let known = request.headers[values: .ifNoneMatch]
        return !known.isEmpty && tag.matches(ifNoneMatch: known.joined(separator: ", "))
    }

    private func notModified(_ fields: HTTPFields) -> Response {
        var fields = fields
        fields[.contentType] = nil
        fields[.contentDisposition] = nil
        return Response(status: .notModified, headers: fields)
    }

    private func download(_ source: any ByteSource, _ tag: EntityTag, _ fields: HTTPFields, _ request: Request) throws -> Response {
        var fields = fields
        let length = source.length
        let isHead = request.method == .head
        // HTTP defines ranges for GET alone.
        let holds = request.headers[.ifRange].map { tag.matches(ifRange: $0) } ?? true
        let range = RangeAnswer(isHead || !holds ? nil : request.headers[.range], length: length)
        let part: Range<Int64>
        switch range {
        case .whole: part = 0..<length
        case .unsatisfiable:
            throw Problem(
                .rangeNotSatisfiable, "it has \(length) bytes",
                headers: [("Content-Range", "bytes */\(length)"), ("Accept-Ranges", "bytes")])
        case .part(let found):
            part = found
            fields[.contentRange] = "bytes \(found.lowerBound)-\(found.upperBound - 1)/\(length)"
        }
        fields[.contentLength] = "\(part.count)"
        let status = HTTPResponse.Status(code: range == .whole ? 200 : 206)
        guard !isHead else { return Response(status: status, headers: fields) }
        let body = ResponseBody(contentLength: part.count) { writer in
            var offset = part.lowerBound
            while offset < part.upperBound {
                let start = offset
                let wanted = min(Self.chunkSize, Int(part.upperBound - offset))
                let piece = try await work.run { try source.read(wanted, at: start) }
                // The length was promised: a connection that ends early is the only way left to say that something is missing.
                guard piece.count == wanted else { throw SourceEnded(offset: offset + Int64(piece.count)) }
                try await writer.write(ByteBuffer(bytes: piece))
                offset += Int64(piece.count)
            }
            try await writer.finish(nil)
        }
        return Response(status: status, headers: fields, body: body)
    }

    private struct SourceEnded: Error {
        let offset: Int64
    }

    private func events(_ feed: EventFeed, _ request: Request) -> ResponseBody {
        let lastID = request.headers[Self.lastEventID]
        return ResponseBody { writer in
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                // Nobody but this task writes.
                nonisolated(unsafe) var writer = writer
                try await feed.forEach(after: lastID) { try await writer.write(ByteBuffer(string: $0)) }
                try Task.checkCancellation()
            }
            try await writer.finish(nil)
        }
    }
}
