import AsyncHTTPClient
import CanonicalJSON
import HTTPTypes
import Hummingbird
import Integrity
import NIOCore
import NIOHTTP1
import Platform
import VerdaccioSettings

/// The addresses of a registry, and what is done at each.
struct RegistryResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    private static let chunkSize = 256 << 10

    let registry: Registry

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        do {
            return try await answer(request)
        } catch let failure as RegistryFailure {
            return json(failure.body, status: failure.status)
        } catch {
            return json(["error": "internal server error"], status: 500)
        }
    }

    private func answer(_ request: Request) async throws -> Response {
        let address = try Address(request.uri.path)
        switch (request.method, address) {
        case (.get, .ping): return json([:])
        case (.get, .whoAmI): return json(["username": "anonymous"])
        case (.get, .search): return try search(request)
        case (.put, .user):
            return json(["ok": "you are authenticated", "token": .string(SHA512.digest(of: randomBytes(32)).hex)], status: 201)
        case (.get, .package(let name)): return try await packument(name, request)
        case (.get, .version(let name, let version)): return try await entry(version, of: name, request)
        case (.get, .tags(let name)):
            return json(try served(try await registry.packument(of: name), at: "")["dist-tags"] ?? [:])
        case (.get, .sidebar(let name)): return try await sidebar(name, request)
        case (.get, .file(let name, let file)): return try await contents(of: file, in: name)
        case (.head, .file(let name, let file)): return try await head(contents(of: file, in: name))
        case (.put, .package(let name)): return try await put(name, isRevision: false, request)
        case (.put, .revision(let name)): return try await put(name, isRevision: true, request)
        case (.put, .tag(let name, let tag)):
            guard let version = try await body(request).string else { throw RegistryFailure.badData }
            try await registry.setTag(tag, of: name, to: version)
            return json(["ok": "package tagged"], status: 201)
        case (.delete, .tag(let name, let tag)):
            try await registry.setTag(tag, of: name, to: nil)
            return json(["ok": "tag removed"], status: 201)
        case (.delete, .revision(let name)):
            try registry.removePackage(name)
            return json(["ok": "package removed"], status: 201)
        case (.delete, .fileRevision(let name, let file)):
            try await registry.removeTarball(file, of: name)
            return json(["ok": "tarball removed"], status: 201)
        default: throw RegistryFailure(status: 404, message: "File not found")
        }
    }

    /// The answer to HEAD where this is the one to GET: what it is about is fetched all the same.
    private func head(_ answer: Response) async throws -> Response {
        try await answer.body.write(NobodyReads())
        return answer.createHeadResponse()
    }

    private func put(_ name: String, isRevision: Bool, _ request: Request) async throws -> Response {
        guard let body = try await body(request).object else { throw RegistryFailure.badData }
        try await registry.put(body, name: name, isRevision: isRevision)
        return json(["ok": isRevision ? "package changed" : "created new package", "success": true], status: 201)
    }

    // MARK: Answers

    private func packument(_ name: String, _ request: Request) async throws -> Response {
        let packument = try served(try await registry.packument(of: name), at: base(request))
        let body = JSONValue.object(packument).canonicalBytes
        let tag = "\"\(body.count)-\(SHA512.digest(of: body).hex.prefix(32))\""
        if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: [.eTag: tag]) }
        return Response(
            status: .ok, headers: [.contentType: "application/json; charset=utf-8", .eTag: tag],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }

    private func entry(_ wanted: String, of name: String, _ request: Request) async throws -> Response {
        let packument = try served(try await registry.packument(of: name), at: base(request))
        let version = packument["dist-tags", wanted]?.string ?? wanted
        guard let entry = packument["versions", version] else {
            throw RegistryFailure(status: 404, message: "this version doesn't exist: \(wanted)")
        }
        return json(entry)
    }

    private func sidebar(_ name: String, _ request: Request) async throws -> Response {
        let stored = try await registry.packument(of: name)
        var packument = try served(stored, at: base(request))
        guard let latest = packument["dist-tags", "latest"]?.string, let entry = packument["versions", latest] else {
            throw RegistryFailure.noSuchPackage
        }
        packument["latest"] = entry
        packument["_uplinks"] = stored["_uplinks"]
        return json(.object(packument))
    }

    private func search(_ request: Request) throws -> Response {
        let text = request.uri.queryParameters["text"].map(String.init) ?? ""
        let size = request.uri.queryParameters["size"].flatMap { Int($0) } ?? 20
        let found = try registry.search(text)
        return json(["objects": .array(Array(found.prefix(size))), "total": .integer(found.count)])
    }

    private func contents(of file: String, in name: String) async throws -> Response {
        switch try await registry.tarball(file, of: name) {
        case .stored(let reader, let size):
            let body = ResponseBody(contentLength: Int(size)) { writer in
                var offset: Int64 = 0
                while true {
                    let chunk = try reader.read(min(Self.chunkSize, Int(size - offset)), at: offset)
                    if chunk.isEmpty { break }
                    offset += Int64(chunk.count)
                    try await writer.write(ByteBuffer(bytes: chunk))
                }
                try await writer.finish(nil)
            }
            return Response(status: .ok, headers: [.contentType: "application/octet-stream"], body: body)
        case .proxied(let upstream, let isKept):
            let length = upstream.headers.first(name: "content-length").flatMap { Int($0) }
            return Response(
                status: .ok, headers: [.contentType: "application/octet-stream"],
                body: relay(upstream, length: length, isKept: isKept, as: file, of: name))
        }
    }

    /// Passes a tarball on and keeps it.
    ///
    /// The client's end comes before the file has its name; a stream that breaks without a
    /// declared length never ends for the client.
    private func relay(_ upstream: HTTPClientResponse, length: Int?, isKept: Bool, as file: String, of name: String) -> ResponseBody {
        ResponseBody(contentLength: length) { writer in
            let draft = isKept ? try registry.storage.beginTarball(file, in: name) : nil
            let hasher = SHA1Hasher()
            var count = 0
            do {
                for try await buffer in upstream.body {
                    count += buffer.readableBytes
                    buffer.withUnsafeReadableBytes { hasher.update($0) }
                    try draft?.write(Array(buffer.readableBytesView))
                    try await writer.write(buffer)
                }
            } catch {
                if let draft { registry.storage.abandonTarball(draft) }
                if length == nil { try await Task.sleep(for: .seconds(86_400)) }
                throw error
            }
            try await writer.finish(nil)
            guard let draft else { return }
            if count == 0 {
                registry.storage.abandonTarball(draft)
            } else {
                try await registry.storage.finishTarball(draft, as: file, in: name, sha1: hasher.finalize().hex)
            }
        }
    }

    // MARK: HTTP

    private func base(_ request: Request) -> String {
        let scheme = HTTPField.Name("X-Forwarded-Proto").flatMap { request.headers[$0] } ?? "http"
        return "\(scheme)://\(request.head.authority ?? "localhost")"
    }

    private func body(_ request: Request) async throws -> JSONValue {
        let limit = registry.storage.settings.maxBodyBytes
        let buffer: ByteBuffer
        do { buffer = try await request.body.collect(upTo: limit) } catch is NIOTooManyBytesError {
            throw RegistryFailure(status: 413, message: "request entity too large")
        }
        guard let value = try? JSONParser.parse(Array(buffer.readableBytesView), mode: .likeJavaScript) else {
            throw RegistryFailure.badData
        }
        return value
    }

    private func json(_ value: JSONValue, status: Int = 200) -> Response {
        Response(
            status: HTTPResponse.Status(code: status), headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.canonicalBytes)))
    }
}

/// Takes a body and keeps nothing of it.
private struct NobodyReads: ResponseBodyWriter {
    mutating func write(_ buffer: ByteBuffer) async throws {}
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
