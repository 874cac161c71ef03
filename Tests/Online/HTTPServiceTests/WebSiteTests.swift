import HTTPTypes
import Testing

@testable import HTTPService

/// A page that stands beside the operations.
@Suite struct WebSiteTests {
    private static let page = file("index.html", "<html>", isImmutable: false)
    private static let script = file("assets/main-1.js", "run()", isImmutable: true)
    private let things = ThingService(beside: WebSite(at: "ui", files: [page, script]))

    private static func file(_ path: String, _ text: String, isImmutable: Bool) -> WebSite.File {
        WebSite.File(
            path: path, mediaType: "text/x-\(path.count)", content: Array(text.utf8), gzipped: Array("gzip of \(text)".utf8),
            isImmutable: isImmutable)
    }

    @Test(arguments: ["/", "/ui"])
    func `the root leads to the page`(path: String) async throws {
        let answer = try await things.ask(.get, path)
        #expect(answer.status == 302 && answer.fields[.location] == "/ui/" && answer.body.isEmpty)
    }

    @Test(arguments: ["/ui/", "/ui/things", "/ui/things/@s/n", "/ui/index.html", "/ui/things/@s%2Fn?limit=nonsense"])
    func `whatever is no file is the page`(path: String) async throws {
        let answer = try await things.ask(.get, path)
        #expect(answer.status == 200 && answer.text == "<html>" && answer.fields[.contentType] == "text/x-10")
        #expect(answer.fields[.cacheControl] == "no-cache" && answer.fields[.vary] == "Accept-Encoding")
        let policy = try #require(answer.fields[.contentSecurityPolicy])
        #expect(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"))
        let head = try await things.ask(.head, path)
        #expect(head.status == 200 && head.body.isEmpty && head.fields == answer.fields)
    }

    @Test func `a file that never changes is kept for ever`() async throws {
        let answer = try await things.ask(.get, "/ui/assets/main-1.js")
        #expect(answer.text == "run()" && answer.fields[.cacheControl] == "public, max-age=31536000, immutable")
    }

    @Test func `a file of another version is not found, rather than taken for the page`() async throws {
        #expect(try await things.ask(.get, "/ui/assets/main-2.js").problem == "not-found")
    }

    @Test func `an address of an operation is answered by it, and any other is not found`() async throws {
        #expect(try await things.ask(.get, "/things", [("Accept", "text/html")]).fields[.contentType] == "application/json")
        #expect(try await things.ask(.get, "/nothing", [("Accept", "text/html")]).problem == "not-found")
        #expect(try await things.ask(.get, "/uix").problem == "not-found")
    }

    @Test func `the document does not know of it`() async throws {
        let bare = try await ThingService().ask(.get, "/openapi.json")
        #expect(try await things.ask(.get, "/openapi.json").body == bare.body)
    }

    @Test func `a page can only be read`() async throws {
        let answer = try await things.ask(.post, "/ui/things")
        #expect(answer.problem == "method-not-allowed" && answer.fields[.allow] == "GET, HEAD, OPTIONS")
        #expect(try await things.ask(.options, "/ui/things").fields[.allow] == "GET, HEAD, OPTIONS")
    }

    @Test func `a strong tag says which bytes they are, compressed or not`() async throws {
        let plain = try await things.ask(.get, "/ui/")
        let gzipped = try await things.ask(.get, "/ui/", [("Accept-Encoding", "gzip")])
        #expect(gzipped.text == "gzip of <html>" && gzipped.fields[.contentEncoding] == "gzip" && plain.fields[.contentEncoding] == nil)
        let tags = try [plain, gzipped].map { try #require($0.fields[.eTag]) }
        #expect(tags[0] != tags[1] && tags.allSatisfy { $0.hasPrefix("\"") })
        let known = try await things.ask(.get, "/ui/", [("Accept-Encoding", "gzip"), ("If-None-Match", tags[1])])
        #expect(known.status == 304 && known.body.isEmpty && known.fields[.eTag] == tags[1] && known.fields[.contentEncoding] == nil)
        #expect(try await things.ask(.get, "/ui/", [("If-None-Match", tags[1])]).status == 200)
    }

    @Test(arguments: [
        (nil, false), ("", false), ("gzip", true), ("br, GZIP;q=0.5", true), ("gzip;q=0", false), ("*", true), ("*;q=0", false),
        ("identity, *;q=0.1", true), ("gzip;q=0, *", false), ("br", false), ("x-gzip", true), ("gzip ; q=0.000", false),
    ])
    func `gzip is sent to who takes it`(field: String?, isTaken: Bool) { #expect(takesGzip(field) == isTaken) }
}
