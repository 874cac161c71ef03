import HTTPTypes
import Testing

@testable import HTTPService

/// What header fields ask for: parts, states that are known, and who asks.
@Suite struct FieldTests {
    @Test(arguments: [
        (nil, RangeAnswer.whole), ("bytes=0-0", .part(0..<1)), ("bytes=0-9", .part(0..<10)), ("bytes=0-99", .part(0..<10)),
        ("bytes=9-9", .part(9..<10)), ("bytes=3-", .part(3..<10)), ("bytes=9-", .part(9..<10)), ("bytes=-1", .part(9..<10)),
        ("bytes=-3", .part(7..<10)), ("bytes=-10", .part(0..<10)), ("bytes=-99", .part(0..<10)), ("BYTES=1-2", .part(1..<3)),
        ("bytes= 1 - 2 ", .part(1..<3)), ("bytes=0-99999999999999999999", .part(0..<10)), ("bytes=-99999999999999999999", .part(0..<10)),
        ("bytes=10-", .unsatisfiable), ("bytes=10-12", .unsatisfiable), ("bytes=-0", .unsatisfiable),
        ("bytes=99999999999999999999-", .unsatisfiable), ("bytes=2-1", .whole), ("bytes=", .whole), ("bytes=-", .whole),
        ("bytes=a-b", .whole), ("bytes=1", .whole), ("bytes=0-1,3-4", .whole), ("items=0-1", .whole), ("bytes", .whole), ("", .whole),
        ("bytes=+1-2", .whole), ("bytes=--1", .whole), ("bytes=0x1-2", .whole),
    ])
    func `a range is the part it names`(field: String?, answer: RangeAnswer) {
        #expect(RangeAnswer(field, length: 10) == answer)
    }

    @Test func `no part of nothing can be had`() {
        #expect(RangeAnswer("bytes=0-", length: 0) == .unsatisfiable)
        #expect(RangeAnswer("bytes=-5", length: 0) == .unsatisfiable)
        #expect(RangeAnswer(nil, length: 0) == .whole)
    }

    @Test(arguments: [
        ("*", true), (" * ", true), ("\"abc\"", true), ("W/\"abc\"", true), ("\"x\", \"abc\"", true), ("\"x\",W/\"abc\"", true),
        ("\"a,b\", \"abc\"", true), ("\"x\"", false), ("abc", false), ("\"abc", false), ("", false), ("\"x\" \"abc\"", true),
        ("x, \"abc\"", false), ("\"abc\"x", true), ("\"ABC\"", false),
    ])
    func `a state is known where a list names it`(field: String, isKnown: Bool) {
        #expect(EntityTag(revision: "abc").matches(ifNoneMatch: field) == isKnown)
    }

    @Test(arguments: [("\"abc\"", true), (" \"abc\" ", true), ("W/\"abc\"", false), ("Tue, 24 Nov 2026 00:00:00 GMT", false), ("*", false)])
    func `a part is asked for of a state by its strong tag alone`(field: String, holds: Bool) {
        #expect(EntityTag(revision: "abc").matches(ifRange: field) == holds)
    }

    @Test(arguments: [
        ("localhost", "localhost"), ("LocalHost:4000", "localhost"), ("127.0.0.1:80", "127.0.0.1"), ("[::1]", "[::1]"),
        ("[::1]:8080", "[::1]"), ("ferry.example.", "ferry.example"), ("a:", "a"),
    ])
    func `a host is named with or without its port`(authority: String, host: String) {
        #expect(RequestGuard.host(of: authority) == host)
    }

    @Test(arguments: ["", ":80", "[::1", "a:b", "a:80:90", "[::1]x", "::1"])
    func `what names no host is none`(authority: String) {
        #expect(RequestGuard.host(of: authority) == nil)
    }

    @Test(arguments: [
        ("localhost:1", "localhost:1"), ("ferry.example", "ferry.example"), ("FERRY.example:9", "ferry.example:9"), ("[fd00::1]:80", nil),
        ("127.0.0.1", nil), ("[::1]:5", nil),
    ])
    func `names that are allowed, and those of the machine itself, pass`(authority: String, origin: String?) throws {
        let guardian = RequestGuard(hosts: ["ferry.example", "fd00::1"])
        var head = HTTPRequest(method: .get, scheme: "http", authority: authority, path: "/")
        try guardian.check(head)
        head.method = .post
        try guardian.check(head)
        if let origin { head.headerFields[.origin] = "http://\(origin)" }
        head.headerFields[fieldName("Sec-Fetch-Site")] = "same-origin"
        try guardian.check(head)
    }

    @Test(arguments: [
        ("evil.example", 421), ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421), ("127.1", 421), ("[::2]", 421),
        ("evil@localhost", 421), ("", 400), (":80", 400),
    ])
    func `another name is refused, whatever is asked`(authority: String, status: Int) throws {
        for method in [HTTPRequest.Method.get, .post, .options] {
            let head = HTTPRequest(method: method, scheme: "http", authority: authority, path: "/")
            let problem = #expect(throws: Problem.self) { try RequestGuard().check(head) }
            #expect(problem?.kind.status == status)
        }
    }

    @Test func `a request without a host, or with two, is refused`() {
        var head = HTTPRequest(method: .get, scheme: "http", authority: nil, path: "/")
        #expect(throws: Problem.self) { try RequestGuard().check(head) }
        head.authority = "localhost"
        head.headerFields.append(HTTPField(name: fieldName("Host"), value: "evil.example"))
        #expect(throws: Problem.self) { try RequestGuard().check(head) }
    }

    @Test(arguments: [
        ("Origin", "http://evil.example"), ("Origin", "null"), ("Origin", "http://localhost:81"), ("Origin", "http://localhost"),
        ("Origin", "ftp://localhost:80"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "anything"), ("Origin", ""),
    ])
    func `another site's page changes nothing`(field: String, value: String) throws {
        for method in [HTTPRequest.Method.post, .put, .delete, .patch] {
            var head = HTTPRequest(method: method, scheme: "http", authority: "localhost:80", path: "/")
            head.headerFields[fieldName(field)] = value
            let problem = #expect(throws: Problem.self) { try RequestGuard().check(head) }
            #expect(problem?.kind == .crossOrigin)
            head.method = .get
            try RequestGuard().check(head)
        }
    }
}
