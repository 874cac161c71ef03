import CanonicalJSON
import RegistryHarness
import Testing

/// What a registry does with files that were put into its storage.
@Suite(.serialized) struct ReadingTests {
    static let foo = SamplePackage("foo", "1.0.0", "1.1.0", tags: ["latest": "1.1.0", "old": "1.0.0"])
    static let bar = SamplePackage("@scope/bar", "1.0.0")

    private static func add(_ package: SamplePackage, to registry: RegistryProcess) throws {
        for (version, bytes) in package.tarballs { try registry.put(bytes, at: "\(package.name)/\(package.file(version))") }
        try registry.put(package.storedDocument().canonicalBytes, at: "\(package.name)/package.json")
    }

    @Test(arguments: RegistryProgram.all)
    func `files put into a running registry are served at once`(program: RegistryProgram) async throws {
        try await RegistryProcess.run(program) { registry in
            #expect(try await registry.get("/-/ping").status == 200)
            #expect(try await registry.get("/foo").status == 404)
            #expect(try registry.names(in: "").contains("foo") == false)
            try Self.add(Self.foo, to: registry)
            try Self.add(Self.bar, to: registry)
            let document = try #require(try await registry.get("/foo").json?.object)
            #expect(document["versions"]?.object?.members.count == 2)
            #expect(document["_distfiles"] == nil && document["_uplinks"] == nil)
            let url = document["versions"]?.object?["1.0.0"]?.object?["dist"]?.object?["tarball"]?.string
            #expect(url == "\(registry.url)/foo/-/foo-1.0.0.tgz")
            #expect(try await registry.get("/foo/-/foo-1.0.0.tgz").body == Self.foo.tarballs["1.0.0"])
            #expect(try await registry.get("/foo/1.0.0").json?.object?["version"] == "1.0.0")
            #expect(try await registry.get("/foo/latest").json?.object?["version"] == "1.1.0")
            #expect(try await registry.get("/foo/9.0.0").status == 404)
            #expect(try await registry.get("/-/package/foo/dist-tags").json == ["latest": "1.1.0", "old": "1.0.0"])
            for path in ["/@scope/bar", "/@scope%2fbar"] { #expect(try await registry.get(path).json?.object?["name"] == "@scope/bar") }
            for path in ["/@scope/bar/-/bar-1.0.0.tgz", "/@scope%2fbar/-/bar-1.0.0.tgz"] {
                #expect(try await registry.get(path).body == Self.bar.tarballs["1.0.0"])
            }
        }
    }

    /// Bytes behind a head would be taken for the answer to the next request on the same connection.
    @Test(arguments: RegistryProgram.all)
    func `a tarball's head comes alone`(program: RegistryProgram) async throws {
        try await RegistryProcess.run(program) { registry in
            try Self.add(Self.foo, to: registry)
            for _ in 0..<20 {
                #expect(try await registry.send("HEAD", "/foo/-/foo-1.0.0.tgz").status == 200)
                #expect(try await registry.get("/foo/-/foo-1.0.0.tgz").body == Self.foo.tarballs["1.0.0"])
            }
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a tarball is served as it lies there`(program: RegistryProgram) async throws {
        try await RegistryProcess.run(program) { registry in
            try Self.add(Self.foo, to: registry)
            try registry.put(Array("damaged".utf8), at: "foo/foo-1.0.0.tgz")
            try registry.put([], at: "foo/package.json")
            #expect(try await registry.get("/foo/-/foo-1.0.0.tgz").text == "damaged")
            #expect(try await registry.get("/foo").status == 500)
            try registry.put(Array(Self.foo.storedDocument().canonicalBytes.dropLast(40)), at: "foo/package.json")
            #expect(try await registry.get("/foo").status == 500)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a version without a tarball is not found`(program: RegistryProgram) async throws {
        try await RegistryProcess.run(program) { registry in
            try Self.add(Self.foo, to: registry)
            try registry.remove("foo/foo-1.1.0.tgz")
            let answer = try await registry.get("/foo/-/foo-1.1.0.tgz")
            #expect(answer.status == 404)
            #expect(answer.json?.object?["error"] == "no such file available")
            #expect(try await registry.get("/foo/-/foo+1.tgz").status == 400)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a registry without uplinks fetches what _distfiles names`(program: RegistryProgram) async throws {
        try await ScriptedUpstream.run { upstream in
            upstream.set("/elsewhere/foo-1.1.0.tgz", .bytes(Array("from elsewhere".utf8)))
            try await RegistryProcess.run(program) { registry in
                try Self.add(Self.foo, to: registry)
                try registry.remove("foo/foo-1.1.0.tgz")
                try registry.edit("foo") { packument in
                    packument["_distfiles"] = ["foo-1.1.0.tgz": ["url": .string("\(upstream.url)/elsewhere/foo-1.1.0.tgz"), "sha": "0"]]
                }
                #expect(try await registry.get("/foo/-/foo-1.1.0.tgz").text == "from elsewhere")
                #expect(try await registry.eventually { try registry.file("foo/foo-1.1.0.tgz") != nil })
            }
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a version without a tarball address breaks its packument`(program: RegistryProgram) async throws {
        try await RegistryProcess.run(program) { registry in
            try Self.add(Self.foo, to: registry)
            try registry.edit("foo") { packument in
                packument["versions"] = ["1.0.0": ["name": "foo", "version": "1.0.0"]]
            }
            #expect(try await registry.get("/foo").status == 500)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `the highest version is latest where none is set`(program: RegistryProgram) async throws {
        let package = SamplePackage("foo", "1.0.0", "2.0.0-beta.1", tags: ["old": "1.0.0"])
        try await RegistryProcess.run(program) { registry in
            try Self.add(package, to: registry)
            #expect(try await registry.get("/foo").json?.object?["dist-tags"]?.object?["latest"] == "2.0.0-beta.1")
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `the stored packument can be read raw`(program: RegistryProgram) async throws {
        try await RegistryProcess.run(program) { registry in
            try Self.add(Self.bar, to: registry)
            #expect(try await registry.get("/@scope/bar/-/package.json").json == Self.bar.storedDocument())
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a package with a storage of its own is found only there`(program: RegistryProgram) async throws {
        var options = RegistryProcess.Options()
        options.packages = "  '@scope/*': {access: $all, publish: $all, storage: corpstore}"
        try await RegistryProcess.run(program, options) { registry in
            try Self.add(Self.bar, to: registry)
            #expect(try await registry.get("/@scope/bar").status == 404)
            try registry.put(Self.bar.storedDocument().canonicalBytes, at: "corpstore/@scope/bar/package.json")
            #expect(try await registry.get("/@scope/bar").status == 200)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `the search ends at the first stray entry`(program: RegistryProgram) async throws {
        func names(_ registry: RegistryProcess) async throws -> [String] {
            let answer = try await registry.get("/-/v1/search?text=&size=1000&local=1")
            #expect(answer.status == 200)
            let objects = answer.json?.object?["objects"]?.array ?? []
            return objects.compactMap { $0.object?["package"]?.object?["name"]?.string }.sorted()
        }
        try await RegistryProcess.run(program) { registry in
            for name in ["aaa", "mmm", "zzz"] { try Self.add(SamplePackage(name, "1.0.0"), to: registry) }
            try Self.add(Self.bar, to: registry)
            #expect(try await names(registry) == ["@scope/bar", "aaa", "mmm", "zzz"])
            try registry.put([], at: ".ferry-stage/x/file")
            #expect(try await names(registry) == ["@scope/bar", "aaa", "mmm", "zzz"])
            try registry.put(Array("x".utf8), at: "nnn/readme.txt")
            #expect(try await names(registry) == ["@scope/bar", "aaa", "mmm"])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `reading writes nothing`(program: RegistryProgram) async throws {
        try await RegistryProcess.run(program) { registry in
            try Self.add(Self.foo, to: registry)
            let before = try registry.file("foo/package.json")
            for path in ["/foo", "/foo/latest", "/foo/-/foo-1.0.0.tgz", "/-/package/foo/dist-tags", "/absent"] {
                _ = try await registry.get(path)
            }
            #expect(try registry.file("foo/package.json") == before)
            #expect(try registry.names(in: "foo") == ["foo-1.0.0.tgz", "foo-1.1.0.tgz", "package.json"])
        }
    }
}
