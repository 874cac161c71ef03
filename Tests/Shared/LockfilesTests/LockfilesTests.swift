import Foundation
import Integrity
import Lockfiles
import PackageStore
import Testing

@Suite struct LockfilesTests {
    private func read(_ text: String, _ name: String = "lock") throws(LockfileError) -> Lockfile {
        try Lockfile(parsing: Array(text.utf8), name: name)
    }

    /// The error's description; `nil` where the text is a lockfile.
    private func error(_ bytes: [UInt8]) -> String? {
        do throws(LockfileError) {
            _ = try Lockfile(parsing: bytes, name: "lock")
            return nil
        } catch {
            return error.description
        }
    }

    private func findings(_ lockfile: Lockfile) -> [String] { lockfile.findings.map { "\($0.entry) \($0.code.rawValue)" } }

    // MARK: npm

    @Test func `what npm writes itself means the same in each of its formats`() throws {
        let project = try Project(lockfile: Samples.npm)
        for version in 1...3 {
            let lockfile = try Lockfile(parsing: project.shrinkwrap(version: version), name: "npm-shrinkwrap.json")
            #expect(lockfile.format == .npm(version) && lockfile.format.description == "npm lockfile \(version)")
            #expect(
                lockfile.packages.map(\.description) == [
                    "@s/b@2.0.0", "a@1.2.3", "c@1.5.0", "c@2.0.0-beta.1", "dev@1.0.0", "opt@1.0.0", "par@1.0.0", "rb@1.0.0", "real@3.1.0",
                    "x@1.0.0",
                ])
            #expect(lockfile.packages.allSatisfy { $0.integrity?.sha512.count == 1 })
            // Before version 2 a workspace is a file like any other.
            let links = version == 1 ? ["node_modules/d local", "node_modules/w local"] : []
            #expect(findings(lockfile).sorted() == (links + ["node_modules/f local", "node_modules/g git", "node_modules/u url"]).sorted())
        }
    }

    @Test func `what a dependency brings in its tarball is left out, and what the project bundles is not`() throws {
        let lockfile = try read(
            """
            {"lockfileVersion": 3, "packages": {
              "": {"bundleDependencies": ["mine"]}, "node_modules/mine": {"version": "1.0.0", "inBundle": true},
              "node_modules/mine/node_modules/deep": {"version": "1.0.0", "inBundle": true},
              "node_modules/p": {"version": "1.0.0", "bundleDependencies": ["theirs"]},
              "node_modules/p/node_modules/theirs": {"version": "1.0.0", "inBundle": true},
              "node_modules/p/node_modules/theirs/node_modules/deeper": {"version": "1.0.0", "inBundle": true},
              "node_modules/p/node_modules/fetched": {"version": "1.0.0"},
              "ws": {"version": "1.0.0", "bundleDependencies": ["its"]}, "ws/node_modules/its": {"version": "1.0.0", "inBundle": true}}}
            """)
        #expect(lockfile.packages.map(\.name.text) == ["deep", "fetched", "its", "mine", "p"])
    }

    @Test(arguments: [
        ("https://registry.npmjs.org/a/-/a-1.0.0.tgz", nil), ("http://localhost:4873/@s%2fa/-/a-1.0.0.tgz?x=1", nil),
        ("https://x.example/artifactory/api/npm/n/@s/a/-/@s/a-1.0.0.tgz#0abc", nil),
        ("https://npm.pkg.github.com/download/@s/a/1.0.0/0abc", nil), ("https://example.com/a-1.0.0.tgz", "url"),
        ("https://gitlab.com/g/p/-/archive/v1/p-v1.tar.gz", "url"), ("https://gitlab.com/g/p/-/archive/v1/p.tgz", "url"),
        ("https://codeload.github.com/u/a/tar.gz/0abc", "git"), ("git+ssh://git@github.com/u/a.git#0abc", "git"),
        ("git+https://x.example/a.git", "git"), ("github:u/a", "git"), ("https://x.example/a.git#0abc", "git"), ("file:a.tgz", "local"),
        ("../a.tgz", "local"), ("ipfs:a", "unknown-source"),
    ])
    func `where a version comes from is told by its address`(resolved: String, code: String?) throws {
        let entry = "{\"version\": \"1.0.0\", \"resolved\": \"\(resolved)\"}"
        for text in [
            "{\"lockfileVersion\": 2, \"packages\": {\"node_modules/a\": \(entry)}}",
            "{\"lockfileVersion\": 1, \"dependencies\": {\"a\": \(entry)}}",
        ] {
            let lockfile = try read(text)
            #expect(lockfile.findings.first?.code.rawValue == code && lockfile.packages.count == (code == nil ? 1 : 0))
        }
    }

    @Test func `an entry without a name or version that a registry has is a finding`() throws {
        let lockfile = try read(
            """
            {"lockfileVersion": 3, "packages": {"node_modules/.x": {"version": "1.0.0"}, "node_modules/a": {"version": "1.x"},
              "node_modules/b": {"optional": true}, "node_modules/c": {"version": "1.0.0", "resolved": false}}}
            """)
        #expect(findings(lockfile) == ["node_modules/.x invalid-name", "node_modules/a invalid-version", "node_modules/b invalid-version"])
        #expect(lockfile.packages.map(\.description) == ["c@1.0.0"] && lockfile.packages.first?.integrity == nil)
        #expect(lockfile.findings.first?.description == "node_modules/.x is not a name that a registry can have [invalid-name]")
    }

    @Test func `a version that stands twice is one package, with the strongest integrity`() throws {
        func entry(_ integrity: String) -> String { "{\"version\": \"1.0.0\", \"integrity\": \"\(integrity)\"}" }
        let (sha1, one, other) = ("sha1-\(String(repeating: "A", count: 27))=", Samples.integrity("A"), Samples.integrity("B"))
        for (order, conflicts) in [
            ([sha1, one], 0), ([one, sha1], 0), ([one, other], 1), ([one, "\(other) \(one)"], 0), (["", one], 0),
        ] {
            let lockfile = try read(
                "{\"lockfileVersion\": 3, \"packages\": {\"node_modules/a\": \(entry(order[0])), \"b/node_modules/a\": \(entry(order[1]))}}"
            )
            #expect(lockfile.packages.count == 1 && lockfile.findings.map(\.code) == Array(repeating: .integrityConflict, count: conflicts))
            #expect(lockfile.packages.first?.integrity?.sha512.first?.hex.hasPrefix("0000") == true)
        }
    }

    @Test func `what npm wrote before it knew versions is read`() throws {
        let lockfile = try read(
            """
            {"name": "p", "dependencies": {"a": {"version": "1.0.0", "from": "a@^1.0.0", "resolved": "https://r.example/a/-/a-1.0.0.tgz",
              "dependencies": {"b": {"version": "2.0.0", "bundled": true, "dependencies": {"c": {"version": "3.0.0"}}}}}}}
            """, "npm-shrinkwrap.json")
        #expect(lockfile.format == .npm(1) && lockfile.packages.map(\.description) == ["a@1.0.0", "c@3.0.0"])
    }

    // MARK: pnpm

    @Test(arguments: [
        (
            "5.4",
            [
                "/a/1.0.0", "/a/1.0.0_b@2.0.0+@s+c@1.0.0", "/@s/n/1.2.3-rc.1_0abcdef", "registry.example.com/@s/o/1.0.0",
                "registry.example.com/q/1.0.0", "github.com/u/g/0abcdef", "file:../dir", "/real/3.0.0",
            ]
        ),
        (
            "'6.0'",
            [
                "/a@1.0.0", "/a@1.0.0(b@2.0.0)(@s/c@1.0.0(d@1.0.0))", "/@s/n@1.2.3-rc.1(b@2.0.0)", "registry.example.com/@s/o@1.0.0",
                "registry.example.com/q@1.0.0", "github.com/u/g/0abcdef", "file:../dir(b@2.0.0)", "/real@3.0.0",
            ]
        ),
        (
            "'9.0'",
            [
                "a@1.0.0", "'@s/n@1.2.3-rc.1'", "'@s/o@1.0.0'", "q@1.0.0", "g@https://codeload.github.com/u/g/tar.gz/0abcdef",
                "d@file:../dir", "real@3.0.0",
            ]
        ),
    ])
    func `each form of pnpm's keys is read`(version: String, keys: [String]) throws {
        var text = "lockfileVersion: \(version)\n\nimporters:\n\n  .:\n    dependencies:\n      alias: real@3.0.0\n\npackages:\n"
        for key in keys {
            let resolution =
                key.contains("file:")
                ? "{directory: ../dir, type: directory}"
                : key.contains("0abcdef") && key.contains("github")
                    ? "{tarball: https://codeload.github.com/u/g/tar.gz/0abcdef}" : "{integrity: \(Samples.integrity("A"))}"
            text += "\n  \(key.hasPrefix("@") ? "'\(key)'" : key):\n    resolution: \(resolution)\n    engines: {node: '>=8 || *'}\n"
        }
        let lockfile = try read(text, "pnpm-lock.yaml")
        #expect(lockfile.format.description == "pnpm lockfile \(version.filter { $0 != "'" })")
        #expect(lockfile.packages.map(\.description) == ["@s/n@1.2.3-rc.1", "@s/o@1.0.0", "a@1.0.0", "q@1.0.0", "real@3.0.0"])
        #expect(lockfile.packages.allSatisfy { $0.integrity != nil })
        #expect(lockfile.findings.map(\.code) == [.git, .local])
    }

    @Test func `what pnpm takes from elsewhere is a finding`() throws {
        let lockfile = try read(Samples.pnpm)
        #expect(lockfile.packages.map(\.description) == ["@s/n@1.0.0", "mirrored@2.0.0", "pnpm@11.0.0"])
        #expect(
            findings(lockfile) == [
                "g@git+https://x.example/g.git#0abc git", "h@https://codeload.github.com/u/h/tar.gz/0abc git",
                "node@runtime:22.0.0 unknown-source", "t@file:t.tgz local", "u@https://example.com/u-1.0.0.tgz url",
                "v@https://r.example/v/-/v-1.0.0.tgz url", "w@file:../w local", "x@1.x unknown-source",
            ])
    }

    // MARK: Yarn

    @Test func `the classic format of yarn is read`() throws {
        let lockfile = try read(Samples.classic, "yarn.lock")
        #expect(lockfile.format == .yarnClassic && lockfile.format.description == "yarn lockfile 1")
        #expect(lockfile.packages.map(\.description) == ["@s/n@7.0.0", "a@1.1.0", "mirrored@1.0.0", "real@3.1.0", "real@3.2.0"])
        #expect(lockfile.packages.map { $0.integrity == nil } == [true, false, true, true, true])
        #expect(
            findings(lockfile) == [
                "d@./dir local", "f@file:./f local", "g@u/g#main git", "h@git+ssh://git@x.example/h.git git",
                "l@link:../l local", "u@https://example.com/u.tgz url",
            ])
        #expect(try read(Samples.classic.replacingOccurrences(of: "\n", with: "\r\n")).packages == lockfile.packages)
    }

    @Test func `the berry format of yarn is read`() throws {
        let lockfile = try read(Samples.berry, "yarn.lock")
        #expect(lockfile.format == .yarnBerry(8) && lockfile.format.description == "yarn berry lockfile 8")
        #expect(
            lockfile.packages.map(\.description) == [
                "@s/n@2.0.0", "a@1.1.0", "hosted@1.0.0", "old@4.0.0", "patched@1.0.0", "real@3.1.0", "twice@1.0.0",
            ])
        #expect(lockfile.packages.allSatisfy { $0.integrity == nil })
        #expect(
            findings(lockfile) == [
                "f@file:./f.tgz::locator=p%40workspace%3A. local", "g@u/g#main git", "l@link:../l::locator=p%40workspace%3A. local",
                "patchedgit@patch:patchedgit@u/g#./p git", "po@portal:../po::locator=p%40workspace%3A. local",
                "u@https://example.com/u.tgz url",
            ])
    }

    // MARK: what is refused

    @Test(arguments: [
        ("", "lockfile \"lock\": it is empty"), (" \n\t", "lockfile \"lock\": it is empty"),
        ("{\n\n  x", "lockfile \"lock\", line 3: not valid json: a member needs a name"),
        ("{\"a\": 1,\n<<<<<<< HEAD\n", "lockfile \"lock\", line 2: a merge conflict is not resolved"),
        ("# yarn lockfile v1\n<<<<<<< HEAD\n", "lockfile \"lock\", line 2: a merge conflict is not resolved"),
        ("[1]", "lockfile \"lock\", line 1: it is not a lockfile of npm, pnpm or yarn"),
        ("a: 1\nb: [", "lockfile \"lock\", line 3: not valid yaml: while parsing a flow node, did not find expected node content"),
        ("hello\n", "lockfile \"lock\", line 1: it is not a lockfile of npm, pnpm or yarn"), ("# c\n", "lockfile \"lock\": it is empty"),
        (
            "{\"name\": \"p\", \"dependencies\": {\"a\": \"^1\"}}",
            "lockfile \"lock\": there is no \"lockfileVersion\": it is not npm's lockfile"
        ),
        ("{\"lockfileVersion\": 4, \"packages\": {}}", "lockfile \"lock\": version 4 of npm's lockfile is not known"),
        ("{\"lockfileVersion\": \"3\", \"packages\": {}}", "lockfile \"lock\": version \"3\" of npm's lockfile is not known"),
        ("{\"lockfileVersion\": 3}", "lockfile \"lock\": \"packages\" is missing, or not an object"),
        (
            "{\"lockfileVersion\": 1, \"packages\": {\"a\": []}}",
            "lockfile \"lock\": version 1 of npm's lockfile has no \"packages\": it is not npm's lockfile"
        ),
        ("{\"lockfileVersion\": 1, \"dependencies\": {\"a\": 1}}", "lockfile \"lock\": \"node_modules/a\" is not an object"),
        ("{\"lockfileVersion\": 3, \"packages\": {\"node_modules/a\": 1}}", "lockfile \"lock\": \"node_modules/a\" is not an object"),
        (
            "{\"lockfileVersion\": 3, \"packages\": {\"node_modules/a\": {\"version\": 1}}}",
            "lockfile \"lock\": \"version\" of \"node_modules/a\" is not a string"
        ),
        ("lockfileVersion: '13.0'\n", "lockfile \"lock\", line 1: version 13.0 of pnpm's lockfile is not known"),
        ("\nlockfileVersion: 5.4\npackages: []\n", "lockfile \"lock\", line 3: \"packages\" is not a mapping"),
        ("lockfileVersion: 5.4\npackages:\n  /a/1.0.0: {}\n", "lockfile \"lock\", line 3: \"/a/1.0.0\" has no \"resolution\""),
        ("lockfileVersion: &a 5.4\npackages: *a\n", "lockfile \"lock\", line 2: not valid yaml: aliases are not read here"),
        ("__metadata:\n  version: 11\n", "lockfile \"lock\", line 2: version \"11\" of yarn's lockfile is not known"),
        ("__metadata: 8\n", "lockfile \"lock\", line 1: version \"\" of yarn's lockfile is not known"),
        ("__metadata:\n  version: 8\n\"a@npm:1\":\n  version: 1\n", "lockfile \"lock\", line 3: \"a@npm:1\" has no \"resolution\""),
        ("__metadata:\n  version: 8\nx:\n  resolution: a\n", "lockfile \"lock\", line 4: \"a\" is not a locator"),
        ("# yarn lockfile v2\n", "lockfile \"lock\": version 2 of yarn's lockfile is not known"),
        ("# yarn lockfile v1\na@1:\n  resolved x\n", "lockfile \"lock\", line 2: \"a@1\" has no \"version\""),
        ("# yarn lockfile v1\na@1:\n   version x\n", "lockfile \"lock\", line 3: this is not yarn's format"),
        ("# yarn lockfile v1\n  version x\n", "lockfile \"lock\", line 2: this is not yarn's format"),
        ("# yarn lockfile v1\na@1:\n    b c\n", "lockfile \"lock\", line 3: this is not yarn's format"),
        ("# yarn lockfile v1\na@1 b@1:\n", "lockfile \"lock\", line 2: this is not yarn's format"),
        ("# yarn lockfile v1\na@1, b@1\n", "lockfile \"lock\", line 2: this is not yarn's format"),
        ("# yarn lockfile v1\n\"a@1:\n", "lockfile \"lock\", line 2: a word is missing or not ended"),
        ("# yarn lockfile v1\na@1, :\n", "lockfile \"lock\", line 2: a word is missing or not ended"),
        ("# yarn lockfile v1\n\"a\\u12\":\n", "lockfile \"lock\", line 2: a word is missing or not ended"),
        ("# yarn lockfile v1\na@1:\n  version\t1\n", "lockfile \"lock\", line 3: this is not yarn's format"),
        ("# yarn lockfile v1\na@1:\n  b:\n      c d\n", "lockfile \"lock\", line 4: this is not yarn's format"),
        ("# yarn lockfile v1\na@1,:\n", "lockfile \"lock\", line 2: this is not yarn's format"),
    ])
    func `what is no lockfile is refused by name and line`(text: String, expected: String) {
        #expect(error(Array(text.utf8)) == expected)
    }

    @Test func `a file over the limit is refused unread`() {
        #expect(error([UInt8](repeating: 0x20, count: Lockfile.sizeLimit + 1)) == "lockfile \"lock\": it is larger than 64 MiB")
    }

    @Test func `an empty project, a byte order mark and a name that stands twice are no trouble`() throws {
        #expect(try read("{\"lockfileVersion\": 1}").packages.isEmpty)
        #expect(try read("\u{FEFF}{\"lockfileVersion\": 3, \"packages\": {}}").packages.isEmpty)
        #expect(try read("lockfileVersion: '9.0'\n").packages.isEmpty && read("# yarn lockfile v1\n\n\n").packages.isEmpty)
        let twice = "\"node_modules/a\": {\"version\": \"1.0.0\"}, \"node_modules/a\": {\"version\": \"2.0.0\"}"
        #expect(try read("{\"lockfileVersion\": 3, \"packages\": {\(twice)}}").packages.map(\.description) == ["a@2.0.0"])
        let classic = "a@1:\n  version \"1.0.0\"\n"
        #expect(try read("# yarn lockfile v1\n\(classic)\n\(classic)").packages.map(\.description) == ["a@1.0.0"])
        #expect(error(Array("lockfileVersion: 5.4\nlockfileVersion: 5.4\n".utf8))?.contains("stands twice") == true)
    }

    @Test(arguments: [Samples.npm, Samples.npmTree, Samples.pnpm, Samples.classic, Samples.berry])
    func `whatever is cut off or missing is read or refused`(text: String) {
        let bytes = Array(text.replacingOccurrences(of: Samples.integrity("A"), with: "sha1-A").utf8)
        var refused = 0
        for index in bytes.indices {
            if error(Array(bytes[..<index])) != nil { refused += 1 }
            if error(Array(bytes[..<index] + bytes[(index + 1)...])) != nil { refused += 1 }
        }
        #expect(refused > 0 && error(bytes) == nil)
    }
}

/// A project on disk, whose lockfile npm itself reads and writes.
private final class Project {
    private let root: URL
    private let lockfile: String

    init(lockfile: String) throws {
        self.lockfile = lockfile
        root = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-lockfile-\(UUID().uuidString)")
        for directory in ["ws/w", "dir"] {
            try FileManager.default.createDirectory(at: root.appendingPathComponent(directory), withIntermediateDirectories: true)
        }
        let manifest = try #require(
            (JSONSerialization.jsonObject(with: Data(lockfile.utf8)) as? [String: Any])?["packages"] as? [String: [String: Any]])
        for (path, file) in [("", "package.json"), ("ws/w", "ws/w/package.json"), ("dir", "dir/package.json")] {
            try JSONSerialization.data(withJSONObject: try #require(manifest[path])).write(to: root.appendingPathComponent(file))
        }
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    /// What npm makes of the lockfile in that version of its format.
    func shrinkwrap(version: Int) throws -> [UInt8] {
        let output = root.appendingPathComponent("npm-shrinkwrap.json")
        try? FileManager.default.removeItem(at: output)
        try Data(lockfile.utf8).write(to: root.appendingPathComponent("package-lock.json"))
        let npm = Process()
        npm.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        npm.arguments = [
            "npm", "shrinkwrap", "--offline", "--lockfile-version=\(version)", "--cache", root.appendingPathComponent("c").path,
        ]
        npm.currentDirectoryURL = root
        npm.standardOutput = FileHandle.nullDevice
        npm.standardError = FileHandle.nullDevice
        try npm.run()
        npm.waitUntilExit()
        return Array(try Data(contentsOf: output))
    }
}
