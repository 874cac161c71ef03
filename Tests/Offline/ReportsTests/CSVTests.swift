import Reports
import Testing

@Suite struct CSVTests {
    @Test func `fields are quoted where they must be`() {
        #expect(CSV.line(["a", "b c", ""]) == "a,b c,\r\n")
        #expect(CSV.line(["a,b", "say \"x\"", "two\nlines"]) == "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\r\n")
    }

    @Test func `nothing is a formula, and numbers stay numbers`() {
        #expect(CSV.line(["=1+1", "@scope/foo", "-3", "+x", "-x"]) == "'=1+1,'@scope/foo,-3,'+x,'-x\r\n")
    }
}
