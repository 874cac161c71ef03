import CanonicalJSON
import RegistryHarness
import Testing

/// What a registry with an uplink does.
@Suite(.serialized) struct ProxyTests {
    static let foo = SamplePackage("foo", "1.0.0", "1.1.0")

    /// Runs upstream and proxy.
    private func run(
        _ program: RegistryProgram, _ settings: String = "maxage: 10m", _ body: (ScriptedUpstream, RegistryProcess) async throws -> Void
    ) async throws {
        try await ScriptedUpstream.run { upstream in
            upstream.set(Self.foo)
            var options = RegistryProcess.Options(uplink: upstream.url)
            options.uplinkSettings = settings
            try await RegistryProcess.run(program, options) { registry in try await body(upstream, registry) }
        }
    }

    private func fetched(_ registry: RegistryProcess, _ name: String = "foo") throws -> Int64? {
        try registry.packument(name)?["_uplinks"]?.object?["up"]?.object?["fetched"]?.integer
    }

    private func forget(_ registry: RegistryProcess) throws {
        try registry.edit("foo") { packument in
            var uplink = packument["_uplinks"]?.object?["up"]?.object ?? JSONObject()
            uplink["fetched"] = 0
            packument["_uplinks"] = ["up": .object(uplink)]
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a packument is kept with every version and no tarball`(program: RegistryProgram) async throws {
        try await run(program) { upstream, registry in
            #expect(try await registry.get("/foo").status == 200)
            let packument = try #require(try registry.packument("foo"))
            #expect(packument["versions"]?.object?.members.count == 2)
            #expect(packument["description"] == nil)
            #expect(packument["_attachments"] == [:])
            let file = packument["_distfiles"]?.object?["foo-1.0.0.tgz"]?.object
            #expect(file?["url"]?.string == "\(upstream.url)/foo/-/foo-1.0.0.tgz")
            #expect(file?["registry"] == "up")
            #expect(packument["_uplinks"]?.object?["up"]?.object?["etag"]?.string != nil)
            #expect(try registry.names(in: "foo") == ["package.json"])
            #expect(try registry.file(".verdaccio-db.json").map { String(decoding: $0, as: UTF8.self).contains("foo") } != true)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a fresh copy is not asked for again, whatever the client says`(program: RegistryProgram) async throws {
        try await run(program) { upstream, registry in
            _ = try await registry.get("/foo")
            #expect(upstream.takeRequests().count == 1)
            #expect(try await registry.send("GET", "/foo", headers: ["Cache-Control": "no-cache"]).status == 200)
            for path in ["/foo/latest", "/-/package/foo/dist-tags", "/-/verdaccio/data/sidebar/foo"] { _ = try await registry.get(path) }
            #expect(upstream.takeRequests() == [])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a copy nothing changed in moves its time and its revision only`(program: RegistryProgram) async throws {
        try await run(program) { upstream, registry in
            _ = try await registry.get("/foo")
            try forget(registry)
            var before = try #require(try registry.packument("foo"))
            _ = upstream.takeRequests()
            _ = try await registry.get("/foo")
            #expect(upstream.takeRequests().first?.etag != nil)
            #expect(try fetched(registry).map { $0 > 0 } == true)
            var after = try #require(try registry.packument("foo"))
            #expect(before["_rev"] != after["_rev"])
            for member in ["_rev", "_uplinks"] {
                before[member] = nil
                after[member] = nil
            }
            #expect(before == after)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `the sidebar tells when a copy was fetched`(program: RegistryProgram) async throws {
        try await run(program) { _, registry in
            let answer = try await registry.get("/-/verdaccio/data/sidebar/foo")
            let told = answer.json?.object?["_uplinks"]?.object?["up"]?.object?["fetched"]?.integer
            #expect(try fetched(registry) == told)
            #expect(told != nil)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a refresh only adds`(program: RegistryProgram) async throws {
        try await run(program, "maxage: 0s") { upstream, registry in
            _ = try await registry.get("/foo")
            var changed = SamplePackage("foo", "1.1.0", "1.2.0", tags: ["latest": "1.1.0", "next": "1.2.0"])
            changed.deprecated = ["1.1.0": "broken"]
            upstream.set(changed)
            _ = try await registry.get("/foo")
            var packument = try #require(try registry.packument("foo"))
            #expect(packument["versions"]?.object?.members.map(\.name).sorted() == ["1.0.0", "1.1.0", "1.2.0"])
            #expect(packument["versions"]?.object?["1.1.0"]?.object?["deprecated"] == nil)
            #expect(packument["dist-tags"] == ["latest": "1.1.0", "next": "1.2.0"])
            upstream.set(SamplePackage("foo", "1.1.0", "1.2.0", tags: ["latest": "1.0.0", "next": "1.1.0"]))
            _ = try await registry.get("/foo")
            packument = try #require(try registry.packument("foo"))
            #expect(packument["dist-tags"] == ["latest": "1.1.0", "next": "1.2.0"])
        }
    }

    @Test(
        arguments: RegistryProgram.all,
        [ScriptedUpstream.Answer.status(404), .status(500), .page, .cut([UInt8](repeating: 123, count: 64))])
    func `a refresh that fails is not told`(program: RegistryProgram, answer: ScriptedUpstream.Answer) async throws {
        try await run(program, "maxage: 0s, max_fails: 100") { upstream, registry in
            _ = try await registry.get("/foo")
            let before = try registry.file("foo/package.json")
            upstream.set("/foo", answer)
            let told = try await registry.get("/foo")
            #expect(told.status == 200)
            #expect(told.json?.object?["versions"]?.object?.members.count == 2)
            #expect(try registry.file("foo/package.json") == before)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a dead uplink looks like an unknown package`(program: RegistryProgram) async throws {
        var options = RegistryProcess.Options(uplink: "http://127.0.0.1:1")
        options.uplinkSettings = "maxage: 0s"
        try await RegistryProcess.run(program, options) { registry in
            let answer = try await registry.get("/foo")
            #expect(answer.status == 404)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `after two failures the uplink counts as offline`(program: RegistryProgram) async throws {
        try await run(program, "maxage: 0s, timeout: 1s") { upstream, registry in
            _ = try await registry.get("/foo")
            upstream.set("/foo", .silence)
            for _ in 0..<2 { #expect(try await registry.get("/foo").status == 200) }
            upstream.set(Self.foo)
            _ = upstream.takeRequests()
            #expect(try await registry.get("/foo").status == 200)
            let answer = try await registry.get("/foo/-/foo-1.0.0.tgz")
            #expect(answer.status == 500)
            #expect(answer.json?.object?["error"] == "uplink is offline")
            #expect(upstream.takeRequests() == [])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a fail time-out of nothing never counts as offline`(program: RegistryProgram) async throws {
        try await run(program, "maxage: 0s, timeout: 1s, fail_timeout: 0s") { upstream, registry in
            upstream.set("/gone", .silence)
            for _ in 0..<3 { _ = try await registry.get("/gone") }
            #expect(try await registry.get("/foo/-/foo-1.0.0.tgz").status == 200)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `one request for a tarball makes directory, packument and file`(program: RegistryProgram) async throws {
        try await run(program) { _, registry in
            let answer = try await registry.get("/foo/-/foo-1.0.0.tgz")
            #expect(answer.body == Self.foo.tarballs["1.0.0"])
            #expect(
                try await registry.eventually {
                    try registry.packument("foo")?["_attachments"]?.object?["foo-1.0.0.tgz"]?.object?["shasum"]?.string?.count == 40
                })
            #expect(try registry.file("foo/foo-1.0.0.tgz") == Self.foo.tarballs["1.0.0"])
            #expect(try await registry.eventually { try registry.names(in: "foo") == ["foo-1.0.0.tgz", "package.json"] })
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `asking for the head of a tarball fetches it`(program: RegistryProgram) async throws {
        try await run(program) { _, registry in
            let answer = try await registry.send("HEAD", "/foo/-/foo-1.0.0.tgz")
            #expect(answer.status == 200)
            #expect(try await registry.eventually { try registry.file("foo/foo-1.0.0.tgz") != nil })
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `bytes that are wrong are kept and served`(program: RegistryProgram) async throws {
        try await run(program) { upstream, registry in
            upstream.set("/foo/-/foo-1.0.0.tgz", .page)
            upstream.set("/foo/-/foo-1.1.0.tgz", .redirect("\(upstream.url)/mirror/foo.tgz"))
            upstream.set("/mirror/foo.tgz", .bytes(Array("by another way".utf8)))
            for (file, text) in [("foo-1.0.0.tgz", "<html>Sign in</html>"), ("foo-1.1.0.tgz", "by another way")] {
                let answer = try await registry.get("/foo/-/\(file)")
                #expect(answer.text == text)
                #expect(try await registry.eventually { try registry.file("foo/\(file)") == Array(text.utf8) })
            }
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `what upstream refuses is told and not kept`(program: RegistryProgram) async throws {
        try await run(program) { upstream, registry in
            upstream.set("/foo/-/foo-1.0.0.tgz", .status(404))
            upstream.set("/foo/-/foo-1.1.0.tgz", .status(503))
            let absent = try await registry.get("/foo/-/foo-1.0.0.tgz")
            #expect(absent.status == 404)
            #expect(absent.json?.object?["error"] == "file doesn't exist on uplink")
            let broken = try await registry.get("/foo/-/foo-1.1.0.tgz")
            #expect(broken.status == 500)
            #expect(broken.json?.object?["error"] == "bad uplink status code: 503")
            upstream.set("/foo/-/foo-1.1.0.tgz", .bytes([]))
            #expect(try await registry.get("/foo/-/foo-1.1.0.tgz").body == [])
            #expect(try await registry.eventually { try registry.names(in: "foo") == ["package.json"] })
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a cut tarball is not kept, and without a length never ends`(program: RegistryProgram) async throws {
        try await run(program, "maxage: 10m, timeout: 2s") { upstream, registry in
            _ = try await registry.get("/foo")
            let bytes = [UInt8](repeating: 88, count: 200_000)
            upstream.set("/foo/-/foo-1.0.0.tgz", .cut(bytes))
            let cut = try? await registry.send("GET", "/foo/-/foo-1.0.0.tgz", timeout: .seconds(5))
            #expect(cut.map { $0.body.count < bytes.count } ?? true)
            upstream.set("/foo/-/foo-1.1.0.tgz", .cutChunked(bytes))
            await #expect(throws: RegistryProcess.NoAnswer.self) {
                try await registry.send("GET", "/foo/-/foo-1.1.0.tgz", timeout: .seconds(3))
            }
            #expect(try await registry.eventually { try registry.names(in: "foo") == ["package.json"] })
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a deleted tarball comes again, also without its attachment`(program: RegistryProgram) async throws {
        try await run(program) { _, registry in
            _ = try await registry.get("/foo/-/foo-1.0.0.tgz")
            #expect(try await registry.eventually { try registry.packument("foo")?["_attachments"] != [:] })
            try registry.remove("foo/foo-1.0.0.tgz")
            #expect(try await registry.get("/foo/-/foo-1.0.0.tgz").status == 200)
            #expect(try await registry.eventually { try registry.file("foo/foo-1.0.0.tgz") != nil })
            try registry.remove("foo/foo-1.0.0.tgz")
            try registry.edit("foo") { $0["_attachments"] = [:] }
            #expect(try await registry.get("/foo/-/foo-1.0.0.tgz").status == 200)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a version without its _distfiles entry stays lost, a deleted packument heals`(program: RegistryProgram) async throws {
        try await run(program) { _, registry in
            _ = try await registry.get("/foo")
            try registry.edit("foo") { packument in
                packument["_distfiles"] = [:]
                packument["_uplinks"] = [:]
            }
            #expect(try await registry.get("/foo/-/foo-1.0.0.tgz").status == 404)
            try registry.remove("foo/package.json")
            #expect(try await registry.get("/foo/-/foo-1.0.0.tgz").status == 200)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `an uplink that does not cache passes tarballs on`(program: RegistryProgram) async throws {
        try await run(program, "maxage: 10m, cache: false") { _, registry in
            let answer = try await registry.get("/foo/-/foo-1.0.0.tgz")
            #expect(answer.body == Self.foo.tarballs["1.0.0"])
            #expect(try registry.names(in: "foo") == ["package.json"])
        }
    }
}
