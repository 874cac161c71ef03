import CanonicalJSON
import Testing

@Suite struct CanonicalJSONTests {
    /// RFC 8785 §3.2.2 and appendix B, and what ECMAScript prints.
    @Test(arguments: [
        ("1", "1"), ("-0", "0"), ("1.0", "1"), ("1e21", "1e+21"), ("333333333.33333329", "333333333.3333333"),
        ("1E30", "1e+30"), ("4.50", "4.5"), ("2e-3", "0.002"), ("0.000000000000000000000000001", "1e-27"), ("1e-7", "1e-7"),
        ("123456789012345680000", "123456789012345680000"), ("0.000001", "0.000001"), ("5e-324", "5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"), ("9007199254740993", "9007199254740992"), ("-1.5e300", "-1.5e+300"),
    ])
    func `numbers are printed as ecmascript does`(text: String, expected: String) throws {
        let value = try JSONParser.parse(Array(text.utf8), mode: .strict)
        #expect(String(decoding: value.canonicalBytes, as: UTF8.self) == expected)
    }

    @Test func `names sort by utf-16 and strings escape as little as possible`() throws {
        let text = #"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7,"a":"\u000f/\u007f\b\"\\"}"#
        let value = try JSONParser.parse(Array(text.utf8), mode: .strict)
        let canonical = String(decoding: value.canonicalBytes, as: UTF8.self)
        #expect(
            canonical == "{\"\\r\":2,\"1\":4,\"a\":\"\\u000f/\u{7F}\\b\\\"\\\\\",\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{FB33}\":3}")
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":1,}", "{a:1}", "01", "1.", "+1", ".5", "1e", "nul", "\"\\x\"", "\"\u{01}\"", "\"abc", "[1] 2", "\"\\u12\"",
        "{\"a\" 1}",
    ])
    func `what is not json is refused`(text: String) {
        #expect(throws: JSONError.self) { try JSONParser.parse(Array(text.utf8), mode: .likeJavaScript) }
    }

    @Test func `strict refuses what javascript forgives`() throws {
        for text in [#"{"a":1,"a":2}"#, #""\ud800""#, "1e999"] {
            #expect(throws: JSONError.self) { try JSONParser.parse(Array(text.utf8), mode: .strict) }
        }
        #expect(try JSONParser.parse(Array(#"{"a":1,"a":2}"#.utf8), mode: .likeJavaScript).object?["a"] == 2)
        #expect(try JSONParser.parse(Array(#""\ud800x""#.utf8), mode: .likeJavaScript) == "\u{FFFD}x")
        #expect(try JSONParser.parse(Array("[1e999,-1e999]".utf8), mode: .likeJavaScript) == [.null, .null])
        #expect(throws: JSONError.self) { try JSONParser.parse([0x22, 0xFF, 0x22], mode: .strict) }
    }

    @Test func `composed and decomposed letters are different names and texts`() throws {
        let object = try JSONParser.parse(Array("{\"\u{E9}\":1,\"e\u{301}\":2}".utf8), mode: .strict).object
        #expect(object?.members.count == 2 && object?["\u{E9}"] == 1 && object?["e\u{301}"] == 2)
        #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
    }

    @Test func `members that are not selected are passed over, and the rest is as it would be`() throws {
        let text =
            #" {"a":[1,{"b":2}],"versions": {"x":{"s":"}\"]","n":[1,[2]]} , "y":"]}", "z":-1e5,"w":{"k":[{}]}},"versionsx":{"x":1}} "#
        func selected(_ names: String...) throws -> JSONObject? {
            let selection = JSONParser.Selection(of: "versions") { names.contains($0) }
            return try JSONParser.parse(Array(text.utf8), mode: .strict, selection: selection).object
        }
        let whole = try #require(try JSONParser.parse(Array(text.utf8), mode: .strict).object)
        #expect(try selected("x", "y", "z", "w") == whole)
        for name in ["x", "y", "z", "w"] {
            var expected = whole
            expected["versions"] = .object(JSONObject(uniqueMembers: [(name, try #require(whole["versions"]?.object?[name]))]))
            #expect(try selected(name) == expected)
        }
        #expect(try selected()?["versions"] == [:])
    }

    @Test func `no cut of a text passes for the whole, whatever is selected`() throws {
        let text = Array(#"{"versions":{"x":{"s":"a\"b"},"y":[1,2]},"end":0}"#.utf8)
        for length in 0..<text.count {
            let selection = JSONParser.Selection(of: "versions") { _ in false }
            #expect(throws: JSONError.self) { try JSONParser.parse(Array(text[..<length]), mode: .likeJavaScript, selection: selection) }
        }
        for broken in [#"{"versions":{"x":,"y":1}}"#, #"{"versions":{"x":}}"#, #"{"versions":{"x" 1}}"#] {
            let selection = JSONParser.Selection(of: "versions") { _ in false }
            #expect(throws: JSONError.self) { try JSONParser.parse(Array(broken.utf8), mode: .strict, selection: selection) }
        }
    }

    @Test func `nesting has a limit`() throws {
        let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        #expect(throws: JSONError.self) { try JSONParser.parse(Array(deep.utf8), mode: .strict) }
        #expect(throws: Never.self) { try JSONParser.parse(Array(deep.utf8), mode: .strict, depthLimit: 201) }
    }

    @Test func `a document with an unknown member is refused by its name`() throws {
        var object = try StrictObject(parsing: Array(#"{"type":"ferry.x","formatVersion":1,"extra":0}"#.utf8), document: "x")
        try object.header(type: "ferry.x", version: 1)
        #expect(throws: DocumentError("x", "the member \"extra\" is unknown")) { try object.finish() }
    }

    @Test func `another version is refused by its number`() throws {
        var newer = try StrictObject(parsing: Array(#"{"type":"ferry.x","formatVersion":2}"#.utf8), document: "x")
        #expect {
            try newer.header(type: "ferry.x", version: 1)
        } throws: { error in
            (error as? DocumentError)?.isNewer == true
                && "\(error)" == "the x is of format version 2, from a newer program; this one reads version 1"
        }
        var older = try StrictObject(parsing: Array(#"{"type":"ferry.x","formatVersion":1}"#.utf8), document: "x")
        #expect(throws: DocumentError("x", "its format version is 1; this program reads version 2")) {
            try older.header(type: "ferry.x", version: 2)
        }
    }
}
