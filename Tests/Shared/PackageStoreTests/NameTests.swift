import PackageStore
import Testing

@Suite struct NameTests {
    @Test(arguments: ["lodash", "@scope/name", "JSONStream", "-", "a.b_c~d", "x!y*z'(q)", "@s/-"])
    func `names of packages are accepted`(text: String) {
        #expect(PackageName(text)?.text == text)
    }

    @Test(arguments: [
        "", ".", "..", ".hidden", "a/b", "@scope", "@scope/", "@/name", "@scope/.x", "@scope/a/b", "a%2fb", "a\\b", "/abs", "a b", "ä",
        "node_modules", "__proto__", "favicon.ico", "package.json", "a\u{0}b", "@../x", "@scope/..", String(repeating: "a", count: 215),
    ])
    func `what could leave the storage is no name`(text: String) {
        #expect(PackageName(text) == nil)
        #expect(StorePath("\(text)/package.json") == nil)
    }

    @Test(arguments: [
        "a/../b/package.json", "a/b.tgz/", "a//b.tgz", "a/.b.tgz", "a/b.tar", "a/b%2e.tgz", "a/.tgz", "../a/b.tgz", "/a/b.tgz",
    ])
    func `what is not a file of a package is no path`(text: String) {
        #expect(StorePath(text) == nil)
    }

    @Test func `packages sort as the paths of their files do`() throws {
        let names = try ["foo", "foo-bar", "foo.js", "@s/a", "@s-x/a", "Foo"].map { try #require(PackageName($0)) }
        let byName = names.sorted().map { "\($0)/package.json" }
        #expect(byName == names.map { "\($0)/package.json" }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }

    @Test func `versions are ordered by precedence`() throws {
        let ascending = [
            "0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
            "1.0.0", "1.0.1", "1.10.0", "2.0.0-x-y.1",
        ]
        let versions = try ascending.map { try #require(PackageVersion($0)) }
        #expect(versions.shuffled().sorted().map(\.text) == ascending)
        #expect(PackageVersion.preferredLatest(of: versions)?.text == "1.10.0")
    }

    @Test(arguments: ["1", "1.2", "01.2.3", "1.2.3-", "1.2.3-01", "v1.2.3", "1.2.3+", "1.2.3 ", "1.2.x", "", "1.2.99999999999999999999"])
    func `what is not a version is refused`(text: String) {
        #expect(PackageVersion(text) == nil)
    }
}
