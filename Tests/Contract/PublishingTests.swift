import CanonicalJSON
import RegistryHarness
import Testing

/// What a registry writes when somebody publishes.
@Suite(.serialized) struct PublishingTests {
    static let foo = SamplePackage("foo", "1.0.0", "1.1.0")

    private func publish(_ package: SamplePackage, _ version: String, tag: String = "latest", to registry: RegistryProcess) async throws
        -> Int
    {
        try await registry.send("PUT", "/\(package.name)", body: package.publication(version, tag: tag, at: registry.url)).status
    }

    @Test(arguments: RegistryProgram.all)
    func `a publish leaves tarball, packument and a local name`(program: RegistryProgram) async throws {
        try await RegistryProcess.run(program) { registry in
            #expect(try await publish(Self.foo, "1.0.0", to: registry) == 201)
            let packument = try #require(try registry.packument("foo"))
            #expect(try registry.file("foo/foo-1.0.0.tgz") == Self.foo.tarballs["1.0.0"])
            #expect(packument["_distfiles"] == [:] && packument["_uplinks"] == [:])
            #expect(packument["dist-tags"] == ["latest": "1.0.0"])
            let attachment = try #require(packument["_attachments"]?.object?["foo-1.0.0.tgz"]?.object)
            #expect(attachment["version"] == "1.0.0")
            #expect(attachment["shasum"]?.string?.count == 40)
            let database = try #require(try registry.file(".verdaccio-db.json"))
            #expect(try JSONParser.parse(database, mode: .likeJavaScript).object?["list"] == ["foo"])
            #expect(try await publish(Self.foo, "1.1.0", tag: "next", to: registry) == 201)
            #expect(try registry.packument("foo")?["dist-tags"] == ["latest": "1.0.0", "next": "1.1.0"])
            #expect(try registry.names(in: "foo") == ["foo-1.0.0.tgz", "foo-1.1.0.tgz", "package.json"])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a version that is there cannot be published again`(program: RegistryProgram) async throws {
        try await RegistryProcess.run(program) { registry in
            #expect(try await publish(Self.foo, "1.0.0", to: registry) == 201)
            #expect(try await publish(Self.foo, "1.0.0", to: registry) == 409)
            try registry.put(Array("orphan".utf8), at: "foo/foo-1.1.0.tgz")
            let answer = try await registry.send("PUT", "/foo", body: Self.foo.publication("1.1.0", at: registry.url))
            #expect(answer.status == 409)
            #expect(answer.json?.object?["error"] == "this package is already present")
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a publish on top of imported files keeps them`(program: RegistryProgram) async throws {
        try await RegistryProcess.run(program) { registry in
            var imported = Self.foo
            imported.tarballs["1.1.0"] = nil
            imported.tags = ["latest": "1.0.0"]
            try registry.put(imported.storedDocument().canonicalBytes, at: "foo/package.json")
            try registry.put(Self.foo.tarballs["1.0.0"] ?? [], at: "foo/foo-1.0.0.tgz")
            #expect(try await publish(Self.foo, "1.1.0", to: registry) == 201)
            #expect(try registry.packument("foo")?["versions"]?.object?.members.count == 2)
            #expect(try registry.packument("foo")?["dist-tags"] == ["latest": "1.1.0"])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `tags are set and removed`(program: RegistryProgram) async throws {
        try await RegistryProcess.run(program) { registry in
            let published = try await publish(Self.foo, "1.0.0", to: registry)
            #expect(published == 201)
            #expect(try await registry.send("PUT", "/-/package/foo/dist-tags/beta", body: "1.0.0").status == 201)
            #expect(try registry.packument("foo")?["dist-tags"] == ["latest": "1.0.0", "beta": "1.0.0"])
            #expect(try await registry.send("PUT", "/-/package/foo/dist-tags/beta", body: "7.0.0").status == 404)
            #expect(try await registry.send("DELETE", "/-/package/foo/dist-tags/beta").status == 201)
            #expect(try registry.packument("foo")?["dist-tags"] == ["latest": "1.0.0"])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a deprecation changes the version's entry`(program: RegistryProgram) async throws {
        try await RegistryProcess.run(program) { registry in
            #expect(try await publish(Self.foo, "1.0.0", to: registry) == 201)
            var document = try #require(try await registry.get("/foo").json?.object)
            var entry = try #require(document["versions"]?.object?["1.0.0"]?.object)
            entry["deprecated"] = "use another"
            document["versions"] = ["1.0.0": .object(entry)]
            #expect(try await registry.send("PUT", "/foo", body: .object(document)).status == 201)
            #expect(try registry.packument("foo")?["versions"]?.object?["1.0.0"]?.object?["deprecated"] == "use another")
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `an unpublish removes version and listed tarball`(program: RegistryProgram) async throws {
        try await RegistryProcess.run(program) { registry in
            #expect(try await publish(Self.foo, "1.0.0", to: registry) == 201)
            #expect(try await publish(Self.foo, "1.1.0", to: registry) == 201)
            var document = try #require(try await registry.get("/foo").json?.object)
            var versions = try #require(document["versions"]?.object)
            versions["1.1.0"] = nil
            document["versions"] = .object(versions)
            document["dist-tags"] = ["latest": "1.0.0"]
            #expect(try await registry.send("PUT", "/foo/-rev/1-x", body: .object(document)).status == 201)
            #expect(try registry.packument("foo")?["versions"]?.object?["1.1.0"] == nil)
            #expect(try registry.packument("foo")?["time"]?.object?["1.1.0"] == nil)
            #expect(try await registry.send("DELETE", "/foo/-/foo-1.1.0.tgz/-rev/1-x").status == 201)
            #expect(try await registry.eventually { try registry.file("foo/foo-1.1.0.tgz") == nil })
            #expect(try await registry.send("DELETE", "/foo/-rev/1-x").status == 201)
            #expect(try await registry.eventually { try registry.names(in: "").contains("foo") == false })
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a publish waits for a foreign lock and reading does not`(program: RegistryProgram) async throws {
        try await RegistryProcess.run(program) { registry in
            #expect(try await publish(Self.foo, "1.0.0", to: registry) == 201)
            try registry.put([], at: "foo/package.json.lock")
            async let waiting = publish(Self.foo, "1.1.0", to: registry)
            #expect(try await registry.get("/foo").status == 200)
            #expect(try await registry.get("/foo/-/foo-1.0.0.tgz").status == 200)
            // The tarball is there before its packument is touched, so by now the publish stands before the lock.
            #expect(try await registry.eventually { try registry.file("foo/foo-1.1.0.tgz") != nil })
            #expect(try registry.packument("foo")?["versions"]?.object?["1.1.0"] == nil)
            try registry.remove("foo/package.json.lock")
            #expect(try await waiting == 201)
            #expect(try registry.packument("foo")?["versions"]?.object?["1.1.0"] != nil)
            #expect(try registry.file("foo/package.json.lock") == nil)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a body that is too large is refused`(program: RegistryProgram) async throws {
        var options = RegistryProcess.Options()
        options.settings = "max_body_size: 2kb"
        var large = Self.foo
        large.tarballs["1.0.0"] = [UInt8](repeating: 65, count: 3000)
        try await RegistryProcess.run(program, options) { registry in
            let published = try await publish(large, "1.0.0", to: registry)
            #expect(published == 413)
            #expect(try registry.file("foo/package.json") == nil)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `whoever logs in gets a token`(program: RegistryProgram) async throws {
        try await RegistryProcess.run(program) { registry in
            let answer = try await registry.send(
                "PUT", "/-/user/org.couchdb.user:bob", body: ["name": "bob", "password": "correct horse battery"])
            #expect(answer.status == 201)
            #expect(answer.json?.object?["token"]?.string?.isEmpty == false)
        }
    }
}
