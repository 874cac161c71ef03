import CanonicalJSON
import HTTPTypes
import Testing

@testable import HTTPService

/// What is asked of a service, and what it answers.
@Suite struct ResponderTests {
    private let things = ThingService()

    // MARK: Addresses

    @Test(arguments: [("/things", 200), ("/things/x", 200), ("/things/first", 200), ("/openapi.json", 200)])
    func `an address that is declared is answered, and to HEAD without a body`(path: String, status: Int) async throws {
        let answer = try await things.ask(.get, path)
        #expect(answer.status == status && !answer.body.isEmpty && answer.fields[.contentType] == "application/json")
        let head = try await things.ask(.head, path)
        #expect(head.status == status && head.body.isEmpty && head.fields == answer.fields)
        #expect(head.fields[.contentLength] == "\(answer.body.count)")
    }

    @Test(arguments: [
        "/", "/thing", "/things/", "/things//", "//things", "/things/x/y", "/@s/n", "/openapi.json/", "/THINGS", "/things%2Fx",
    ])
    func `another is not found`(path: String) async throws {
        for method in [HTTPRequest.Method.get, .post, .delete, .head] {
            #expect(try await things.ask(method, path).status == 404)
        }
        #expect(try await things.ask(.get, path).problem == "not-found")
    }

    @Test(arguments: ["/things/@s/n", "/things/@s%2Fn", "/things/@s%2fn", "/things/%40s%2Fn", "/things/%40s/n"])
    func `a name with a scope has two spellings`(path: String) async throws {
        #expect(try await things.ask(.get, path).json["name"]?.string == "@s/n")
    }

    @Test(arguments: [
        "/things/s%2Fn", "/things/@s%2Fn%2Fm", "/things/%252e", "/things/@s%252Fn", "/things/A", "/things/x%20", "/things/@s%2F",
    ])
    func `what is no name is refused by its declaration`(path: String) async throws {
        let answer = try await things.ask(.get, path)
        #expect(answer.problem == "invalid-parameter" && answer.json["parameter"]?.string == "name")
    }

    @Test(arguments: [
        "/things/..", "/things/%2e%2e", "/things/@s%2F..", "/things/%00", "/things/%c0%ae", "/%", "/things/%zz", "/things/%ff",
    ])
    func `what is no path is refused`(path: String) async throws {
        let answer = try await things.ask(.get, path)
        #expect(answer.status == 400 && answer.problem == "malformed-request")
    }

    @Test func `what fits the pattern and is nothing is not found`() async throws {
        #expect(try await things.ask(.get, "/things/nobody").problem == "not-found")
    }

    @Test func `what is literal goes before a parameter`() async throws {
        #expect(try await things.ask(.get, "/things/first").json["name"]?.string == "the first")
        #expect(try await things.ask(.delete, "/things/first").problem == "method-not-allowed")
    }

    @Test(arguments: [
        ("/things", HTTPRequest.Method.put, "GET, HEAD, OPTIONS, POST"), ("/things/x", .post, "DELETE, GET, HEAD, OPTIONS"),
        ("/file", .delete, "GET, HEAD, OPTIONS"), ("/file", .trace, "GET, HEAD, OPTIONS"), ("/file", .patch, "GET, HEAD, OPTIONS"),
    ])
    func `another method is refused, and those there are are named`(path: String, method: HTTPRequest.Method, allowed: String) async throws
    {
        let answer = try await things.ask(method, path)
        #expect(answer.problem == "method-not-allowed" && answer.fields[.allow] == allowed)
        let options = try await things.ask(.options, path)
        #expect(options.status == 204 && options.fields[.allow] == allowed && options.body.isEmpty)
    }

    @Test func `the whole service says its methods`() async throws {
        #expect(try await things.ask(.options, "*").status == 204)
        #expect(try await things.ask(.get, "*").status == 400)
        #expect(try await things.ask(.options, "/nothing").status == 404)
    }

    // MARK: Parameters

    @Test func `what is not given has its default`() async throws {
        let seen = try await things.ask(.get, "/things").json
        #expect(seen["limit"] == 10 && seen["kind"] == .null && seen["big"] == .null && seen["search"] == "")
    }

    @Test func `what is given is read`() async throws {
        let seen = try await things.ask(.get, "/things?search=a%2Bb+c&big=false&limit=100&kind=square").json
        #expect(seen["limit"] == 100 && seen["kind"] == "square" && seen["big"] == false && seen["search"] == "a+b c")
    }

    @Test(arguments: [
        ("limit=0", "limit"), ("limit=101", "limit"), ("limit=-1", "limit"), ("limit=", "limit"), ("limit=ten", "limit"),
        ("limit=1.0", "limit"),
        ("limit=+5", "limit"), ("limit=05", "limit"), ("limit=1e1", "limit"), ("limit=99999999999999999999", "limit"),
        ("limit=0x1", "limit"),
        ("limit=%201", "limit"), ("limit=1&limit=1", "limit"), ("limit=1&limit=2", "limit"), ("limit", "limit"), ("big=1", "big"),
        ("big=TRUE", "big"), ("big=", "big"), ("kind=Round", "kind"), ("kind=", "kind"), ("search=abcdef", "search"), ("other=1", "other"),
        ("Limit=1", "Limit"), ("name=x", "name"), ("=1", ""), ("limit%00=1", "limit\0"),
    ])
    func `a parameter that cannot be used is named`(query: String, parameter: String) async throws {
        let answer = try await things.ask(.get, "/things?\(query)")
        #expect(answer.problem == "invalid-parameter" && answer.json["parameter"]?.string == parameter, "\(answer.text)")
    }

    @Test func `a parameter that is missing is named`() async throws {
        #expect(try await things.ask(.get, "/wanted").json["parameter"] == "wanted")
        #expect(try await things.ask(.get, "/wanted?wanted=x").status == 200)
    }

    @Test func `characters are counted as the document counts them`() async throws {
        #expect(try await things.ask(.get, "/things?search=%F0%9F%91%A8%E2%80%8D%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7").status == 200)
        #expect(try await things.ask(.get, "/things?search=eeeee%CC%81").status == 400)
    }

    // MARK: Bodies

    private func make(_ body: String, _ fields: [(String, String)] = [("Content-Type", "application/json")]) async throws -> Answered {
        try await things.ask(.post, "/things", fields, body: body)
    }

    @Test func `a body is read`() async throws {
        let answer = try await make("{\"name\":\"x\",\"size\":3}")
        #expect(answer.status == 201 && answer.json["size"] == 3 && answer.fields[.eTag] == nil && answer.fields[.location] == "/things/x")
        #expect(try await make("{\"name\":\"x\"}", [("Content-Type", "Application/JSON; charset=utf-8")]).status == 201)
    }

    @Test(arguments: [
        "{}", "{\"name\":1}", "{\"name\":\"X\"}", "{\"name\":\"x\\n\"}", "{\"name\":\"x\",\"name\":\"x\"}", "{\"name\":\"x\",\"other\":1}",
        "{\"name\":\"x\",\"size\":0}", "{\"name\":\"x\",\"size\":1.5}", "{\"name\":\"x\",\"size\":\"1\"}", "[]", "null", "\"x\"", "{",
        "{}x",
        "{\"name\":\"x\",}", "\u{FEFF}{\"name\":\"x\"}", "{\"name\":\"\\ud800\"}", "{'name':'x'}", "NaN",
    ])
    func `a body that is not what was declared is refused`(body: String) async throws {
        #expect(try await make(body).problem == "invalid-body")
    }

    @Test func `a body of another type is refused`() async throws {
        for fields in [[], [("Content-Type", "text/plain")], [("Content-Type", "application/jsonx")], [("Content-Type", "")]] {
            #expect(try await make("{\"name\":\"x\"}", fields).problem == "unsupported-media-type")
        }
        #expect(
            try await make("{\"name\":\"x\"}", [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]).problem
                == "unsupported-media-type")
    }

    @Test func `a body that is too large is refused, whatever it says of its length`() async throws {
        let long = "\"" + String(repeating: "x", count: 64 << 10) + "\""
        #expect(try await make(long).problem == "body-too-large")
        let fields = [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked"), ("Content-Length", "")]
        #expect(try await make(long, fields).problem == "body-too-large")
        #expect(try await make("", [("Content-Type", "application/json"), ("Content-Length", "99999999")]).problem == "body-too-large")
    }

    @Test func `a body that is missing, or that nobody takes, is refused`() async throws {
        #expect(try await make("").problem == "invalid-body")
        #expect(try await things.ask(.get, "/things", body: "{}").problem == "invalid-body")
        #expect(try await things.ask(.delete, "/things/x", [("Content-Type", "application/json")], body: "{}").problem == "invalid-body")
        #expect(try await things.ask(.delete, "/things/x", [("Content-Length", "0")]).status == 204)
    }

    // MARK: States

    @Test func `a client that has the state is told so`() async throws {
        let first = try await things.ask(.get, "/things")
        let tag = try #require(first.fields[.eTag])
        #expect(tag.hasPrefix("\"") && tag.hasSuffix("\"") && first.fields[.cacheControl] == "no-cache")
        for known in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
            for method in [HTTPRequest.Method.get, .head] {
                let second = try await things.ask(method, "/things", [("If-None-Match", known)])
                #expect(second.status == 304 && second.body.isEmpty && second.fields[.eTag] == tag)
            }
        }
        #expect(try await things.ask(.get, "/things", [("If-None-Match", "\"x\"")]).status == 200)
        #expect(try await things.ask(.get, "/things?limit=1", [("If-None-Match", tag)]).status == 200)
        #expect(try await things.ask(.get, "/things?limit=1").fields[.eTag] != tag)
    }

    // MARK: Parts

    private func file(_ fields: [(String, String)], _ method: HTTPRequest.Method = .get) async throws -> Answered {
        try await things.ask(method, "/file", fields)
    }

    @Test func `a file comes whole`() async throws {
        let answer = try await file([])
        #expect(answer.status == 200 && answer.text == "0123456789" && answer.isComplete && answer.fields[.contentLength] == "10")
        #expect(answer.fields[.acceptRanges] == "bytes" && answer.fields[.eTag] == "\"r1\"")
        #expect(answer.fields[.contentDisposition] == "attachment; filename=\"f.txt\"")
        let head = try await file([], .head)
        #expect(head.status == 200 && head.body.isEmpty && head.fields[.contentLength] == "10" && head.fields[.acceptRanges] == "bytes")
    }

    @Test func `every part of a file is that part`() async throws {
        for first in 0..<10 {
            for last in first..<12 {
                let answer = try await file([("Range", "bytes=\(first)-\(last)")])
                let end = min(last, 9)
                #expect(answer.status == 206 && answer.isComplete)
                #expect(answer.body == Array(ThingService.content[first...end]))
                #expect(answer.fields[.contentRange] == "bytes \(first)-\(end)/10" && answer.fields[.contentLength] == "\(end - first + 1)")
            }
            #expect(try await file([("Range", "bytes=\(first)-")]).body == Array(ThingService.content[first...]))
            #expect(try await file([("Range", "bytes=-\(first + 1)")]).body == Array(ThingService.content.suffix(first + 1)))
        }
    }

    @Test func `a part that is not there is refused, and how much there is is said`() async throws {
        for range in ["bytes=10-", "bytes=10-20", "bytes=-0"] {
            let answer = try await file([("Range", range)])
            #expect(answer.problem == "range-not-satisfiable" && answer.fields[.contentRange] == "bytes */10")
        }
    }

    @Test func `a part of a state that is gone is the whole of the new one`() async throws {
        let part = ("Range", "bytes=2-3")
        #expect(try await file([part, ("If-Range", "\"r1\"")]).text == "23")
        for other in ["\"r0\"", "W/\"r1\"", "Tue, 24 Nov 2026 00:00:00 GMT", "*"] {
            #expect(try await file([part, ("If-Range", other)]).text == "0123456789")
        }
        #expect(try await file([("Range", "bytes=99-"), ("If-Range", "\"r0\"")]).status == 200)
        #expect(try await file([part, ("If-None-Match", "\"r1\"")]).status == 304)
        #expect(try await file([part, ("If-None-Match", "\"r0\"")]).status == 206)
    }

    @Test func `several parts at once are answered with the whole, and HEAD has no parts`() async throws {
        #expect(try await file([("Range", "bytes=0-1,4-5")]).status == 200)
        let head = try await file([("Range", "bytes=2-3")], .head)
        #expect(head.status == 200 && head.fields[.contentLength] == "10" && head.fields[.contentRange] == nil)
        #expect(try await file([("Range", "bytes=99-")], .head).status == 200)
    }

    @Test func `a file that ends before its length is never taken for whole`() async throws {
        let answer = try await things.ask(.get, "/torn")
        #expect(answer.fields[.contentLength] == "11" && !answer.isComplete)
    }

    // MARK: Failures

    @Test func `an error that has a meaning is the problem it stands for`() async throws {
        let answer = try await things.ask(.get, "/locked")
        #expect(answer.problem == "busy" && answer.status == 503 && answer.fields[.retryAfter] == "7")
        #expect(things.log.all.isEmpty)
    }

    @Test func `an error that has none is in the log, and its words are nowhere else`() async throws {
        let answer = try await things.ask(.get, "/secret")
        let id = try #require(answer.json["id"]?.string)
        #expect(answer.problem == "internal-error" && answer.status == 500 && !answer.text.contains("secret.") && id.count == 16)
        #expect(things.log.all.count == 1 && things.log.all[0].contains("error.id=\(id)") && things.log.all[0].contains("secret"))
    }

    @Test func `a long address is refused`() async throws {
        #expect(try await things.ask(.get, "/things?search=" + String(repeating: "x", count: 9000)).problem == "target-too-long")
    }

    @Test(arguments: ["/things", "/nothing", "/things/..", "/file", "/secret"])
    func `every answer keeps browsers in bounds`(path: String) async throws {
        for method in [HTTPRequest.Method.get, .head, .options, .post] {
            let fields = try await things.ask(method, path).fields
            #expect(fields[.xContentTypeOptions] == "nosniff" && fields[.cacheControl] != nil)
            #expect(fields[fieldName("Referrer-Policy")] == "no-referrer")
            #expect(fields[fieldName("Cross-Origin-Resource-Policy")] == "same-origin")
            #expect(fields[.contentSecurityPolicy]?.contains("frame-ancestors 'none'") == true)
            #expect(fields[.accessControlAllowOrigin] == nil)
        }
    }

    @Test func `another host is refused before anything else is looked at`() async throws {
        #expect(try await things.ask(.get, "/things", authority: "evil.example").problem == "host-not-allowed")
        #expect(try await things.ask(.get, "/nothing", authority: nil).problem == "malformed-request")
        #expect(try await things.ask(.options, "*", authority: "evil.example").status == 421)
        #expect(try await things.ask(.delete, "/things/x", [("Origin", "http://evil.example")]).problem == "cross-origin")
    }

    // MARK: The document

    @Test func `the document has just the operations that are answered`() async throws {
        let document = try await things.ask(.get, "/openapi.json").json
        var documented: Set<String> = []
        for (path, item) in document["paths"]?.object?.members ?? [] {
            for (method, _) in item.object?.members ?? [] { documented.insert("\(method.uppercased()) \(path)") }
        }
        #expect(documented == Set(things.responder.table.operations.map { "\($0.method.rawValue) \($0.path)" }))
        #expect(document["openapi"] == "3.1.0" && document["components"]?.object?["schemas"]?.object?["Thing"] != nil)
    }

    @Test func `the document says what a parameter may be, and which problems there are`() async throws {
        let document = try await things.ask(.get, "/openapi.json").json
        let operation = document["paths"]?.object?["/things"]?.object?["get"]?.object
        let limit = operation?["parameters"]?.array?.first?.object
        #expect(limit?["name"] == "limit" && limit?["in"] == "query" && limit?["required"] == false)
        #expect(limit?["schema"] == ["type": "integer", "minimum": 1, "maximum": 100, "default": 10])
        let problem = operation?["responses"]?.object?["400"]?.object?["content"]?.object?["application/problem+json"]
        let types = problem?.object?["schema"]?.object?["properties"]?.object?["type"]?.object?["enum"]?.array
        #expect(types == ["urn:things:invalid-body", "urn:things:invalid-parameter", "urn:things:malformed-request"])
    }
}
