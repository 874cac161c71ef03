import Testing
import YAML

@Suite struct YAMLTests {
    private func parse(_ text: String, aliases: YAMLParser.Aliases = .refused) throws(YAMLError) -> [YAMLNode] {
        try YAMLParser.parse(Array(text.utf8), aliases: aliases)
    }

    /// The error's line and reason, and `nil` where there is no error.
    private func error(_ text: String, aliases: YAMLParser.Aliases = .refused) -> YAMLError? {
        do throws(YAMLError) {
            _ = try parse(text, aliases: aliases)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a mapping keeps its order, its lines and its texts`() throws {
        let node = try #require(try parse("# c\nz: '1'\na:\n  - x\n  - 0x10\n\"q\": yes\nnone:\n").first)
        #expect(node.members?.map(\.key.text) == ["z", "a", "q", "none"])
        #expect(node.members?.map(\.key.line) == [2, 3, 6, 7])
        #expect(node["z"]?.text == "1" && node["z"]?.integer == nil)
        #expect(node["a"]?.elements?.map(\.text) == ["x", "0x10"] && node["a"]?.elements?.last?.integer == 16)
        #expect(node["q"]?.bool == true && node["z"]?.bool == nil)
        #expect(node["none"]?.isEmpty == true && node["z"]?.isEmpty == false && node["absent"] == nil)
    }

    @Test func `each document of a stream is read`() throws {
        #expect(try parse("---\na: 1\n---\nb: 2\n").map { $0.members?.first?.key.text } == ["a", "b"])
        #expect(try parse("").isEmpty && parse("# nothing\n").isEmpty)
    }

    @Test(arguments: [("a: 1\nb: [\n", 3), ("a: 1\n\tb: 2\n", 2), ("a: 1\na: 2\n", 1), ("a\nb\u{1}", 2), ("a: *x\n", 1)])
    func `what is not yaml is refused with its line`(text: String, line: Int) {
        #expect(error(text)?.line == line)
    }

    @Test func `aliases multiply nothing`() throws {
        var bomb = "a0: &a0 [x]\n"
        for level in 1...40 {
            bomb += "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ") + "]\n"
        }
        #expect(error(bomb)?.description == "not valid yaml on line 2: aliases are not read here")
        #expect(error(bomb + "? *a40\n: x\n")?.line == 2)
        #expect(error(bomb, aliases: .expanded)?.reason == "aliases stand for more than 1000000 values")
        #expect(error("- &a x\n- [*a]\n")?.line == 2 && error("- &a x\n- {\"k\":*a}\n")?.line == 2)
        #expect(try parse("x: &a {k: v}\ny: *a\n", aliases: .expanded).first?["y"]?["k"]?.text == "v")
        #expect(error("x: '**bold** &amp; *.js R&D *D'\n") == nil)
    }

    @Test(arguments: ["[", "{a: ", "- ", "? ", "a:\n"])
    func `what is nested too deep is refused`(opening: String) {
        #expect(error(String(repeating: opening, count: 100_000)) != nil)
        let levels = (0..<900).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
        #expect(error(levels)?.reason == "nested more than 64 deep")
    }
}
