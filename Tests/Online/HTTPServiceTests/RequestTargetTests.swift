import Testing

@testable import HTTPService

/// What a request line's path and query mean.
@Suite struct RequestTargetTests {
    @Test(arguments: [
        ("/", [""]), ("/things", ["things"]), ("/things/", ["things", ""]), ("/a%2fb/c", ["a/b", "c"]), ("/a%2Fb", ["a/b"]),
        ("/%2541", ["%41"]), ("/a+b", ["a+b"]), ("/caf%C3%A9", ["café"]), ("//a", ["", "a"]), ("/@s/n", ["@s", "n"]), ("/...", ["..."]),
    ])
    func `a path is decoded exactly once`(path: String, segments: [String]) throws {
        let target = try RequestTarget(path)
        #expect(target.segments == segments && target.rawPath == path && target.query.isEmpty)
    }

    @Test(arguments: [
        "", "things", "*", "http://host/", "/%", "/%2", "/%zz", "/a%", "/%00", "/%0a", "/%7f", "/..", "/a/../b", "/.", "/%2e%2e", "/a/%2E",
        "/x%2F..", "/..%2fx", "/%c0%ae", "/%ff", "/%ed%a0%80", "/a b", "/a#b", "/caf\u{E9}", "/a?b=%", "/a?%zz", "/a?b=%ff",
    ])
    func `what is no path is refused`(path: String) {
        #expect(throws: Problem.self) { try RequestTarget(path) }
    }

    @Test(arguments: [
        ("/a?", []), ("/a?x", [("x", "")]), ("/a?x=", [("x", "")]), ("/a?x=1&y=2", [("x", "1"), ("y", "2")]), ("/a?&x=1&&", [("x", "1")]),
        ("/a?x=a+b%2Bc", [("x", "a b+c")]), ("/a?x=1=2", [("x", "1=2")]), ("/a?x=1&x=2", [("x", "1"), ("x", "2")]),
        ("/a?x%5B%5D=?", [("x[]", "?")]),
    ])
    func `a query is read as forms write it`(path: String, pairs: [(String, String)]) throws {
        #expect(try RequestTarget(path).query.elementsEqual(pairs, by: { $0 == $1 }))
    }

    @Test(arguments: [
        ("/a/b?x=1", "/a/b"), ("//host/x", "/host/x"), ("/%zz", "/%25zz"), ("/a%2Fb", "/a%2Fb"), ("/a b\"", "/a%20b%22"), ("/%", "/%25"),
    ])
    func `whatever came can stand in a document`(path: String, reference: String) {
        #expect(RequestTarget.reference(to: path) == reference)
    }
}
