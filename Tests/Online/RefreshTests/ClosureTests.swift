import CanonicalJSON
import PackageStore
import Platform
import Refresh
import RegistryHarness
import Resolution
import Testing

/// What a refresh brings into the cache.
@Suite(.serialized) struct ClosureTests {
    @Test(arguments: RegistryProgram.all)
    func `all that the chosen version needs comes, at any depth and around cycles`(program: RegistryProgram) async throws {
        try await RefreshWorld.run(program) { world in
            world.publish(
                SamplePackage("app", "1.0.0", "2.0.0").needing(["a": "^1", "@s/b": "~2.1.0"], in: "2.0.0"),
                SamplePackage("a", "1.0.0", "1.5.0", "2.0.0", tags: ["latest": "1.5.0"]).needing(["c": ">=1 <3"], in: "1.5.0"),
                SamplePackage("@s/b", "2.1.0", "2.1.4", "2.2.0", tags: ["latest": "2.1.4"]).needing(["a": "1.x"], in: "2.1.4"),
                SamplePackage("c", "1.0.0", "2.9.0", "3.0.0-rc.1", tags: ["latest": "2.9.0"]).needing(["app": "*"], in: "2.9.0"))
            try await world.seed("app")
            let report = try await world.refresh()
            #expect(report.troubles == [])
            #expect(report.ending == .complete)
            #expect(try world.tarballs() == ["@s/b/b-2.1.4.tgz", "a/a-1.5.0.tgz", "app/app-2.0.0.tgz", "c/c-2.9.0.tgz"])
            #expect(report.newVersions.map { "\($0.package) \($0.versions)" } == ["@s/b [2.1.4]", "a [1.5.0]", "app [2.0.0]", "c [2.9.0]"])
            #expect(report.tarballs.fetched == 4)
            #expect(report.packages.visited == 4)
            #expect(report.packages.failed == 0)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a second run fetches nothing, and asks once for each package`(program: RegistryProgram) async throws {
        try await RefreshWorld.run(program) { world in
            world.publish(
                SamplePackage("app", "1.0.0").needing(["a": "^1"], in: "1.0.0"),
                SamplePackage("a", "1.0.0", "2.0.0").needing(["b": "1.0.0"], in: "1.0.0").needing(["b": "^2"], in: "2.0.0"),
                SamplePackage("b", "1.0.0", "2.0.0", "3.0.0"))
            try await world.seed("app")
            let first = try await world.refresh()
            // What came in is held by then, so its own newest version belongs to the cache as well.
            #expect(
                try world.tarballs() == [
                    "a/a-1.0.0.tgz", "a/a-2.0.0.tgz", "app/app-1.0.0.tgz", "b/b-1.0.0.tgz", "b/b-2.0.0.tgz", "b/b-3.0.0.tgz",
                ])
            #expect(first.tarballs.fetched == 6)
            _ = try await world.registry.eventually {
                try ["app", "a", "b"].allSatisfy { name in
                    let files = try world.registry.names(in: name).count { $0.hasSuffix(".tgz") }
                    return try world.registry.packument(name)?["_attachments"]?.object?.members.count == files
                }
            }
            _ = world.upstream.takeRequests()
            let second = try await world.refresh()
            #expect(second.tarballs.fetched == 0)
            #expect(second.tarballs.failed == 0)
            #expect(second.newVersions.isEmpty)
            #expect(second.touched == [])
            #expect(second.packages.refreshed == 3)
            // A ping, and one question each; upstream is asked by Verdaccio and by us, and both know its ETag.
            #expect(second.requests == (verdaccio: 4, upstream: 3))
            let asked = world.upstream.takeRequests()
            #expect(asked.count == 6)
            #expect(asked.allSatisfy { $0.etag != nil })
        }
    }

    @Test func `aliases and peers come; bundled packages and optional peers do not`() async throws {
        try await RefreshWorld.run { world in
            let bundling: JSONObject = JSONObject(uniqueMembers: [("bundleDependencies", ["inside"])])
            let meta: JSONObject = JSONObject(uniqueMembers: [("peerDependenciesMeta", ["maybe": ["optional": true]])])
            world.publish(
                SamplePackage("app", "1.0.0").needing(
                    ["other": "npm:real@^1.0.0", "bundler": "*"], peers: ["peer": "^3", "maybe": "*"], in: "1.0.0", meta),
                SamplePackage("real", "1.2.0"), SamplePackage("peer", "3.1.0"), SamplePackage("maybe", "1.0.0"),
                SamplePackage("other", "1.0.0"),
                SamplePackage("bundler", "1.0.0").needing(["inside": "1.0.0"], in: "1.0.0", bundling), SamplePackage("inside", "1.0.0"))
            try await world.seed("app")
            let report = try await world.refresh()
            #expect(report.troubles == [])
            #expect(
                try world.tarballs() == ["app/app-1.0.0.tgz", "bundler/bundler-1.0.0.tgz", "peer/peer-3.1.0.tgz", "real/real-1.2.0.tgz"])
        }
    }

    /// A tool with a binary for each platform, as esbuild and rollup have.
    private static func tool(_ versions: String...) -> [SamplePackage] {
        let platforms: [(String, JSONObject)] = [
            ("linux-x64", JSONObject(uniqueMembers: [("os", ["linux"]), ("cpu", ["x64"]), ("libc", ["glibc"])])),
            ("linux-x64-musl", JSONObject(uniqueMembers: [("os", ["linux"]), ("cpu", ["x64"]), ("libc", ["musl"])])),
            ("win32-x64", JSONObject(uniqueMembers: [("os", ["win32"]), ("cpu", ["x64"])])),
            ("darwin-arm64", JSONObject(uniqueMembers: [("os", ["darwin"]), ("cpu", ["arm64"])])),
        ]
        var main = SamplePackage("tool", versions[0])
        main = versions.dropFirst().reduce(main) { package, version in
            var package = package
            package.tarballs[version] = Array("tool \(version)".utf8)
            package.tags = ["latest": version]
            return package
        }
        for version in versions {
            let binaries = Dictionary(uniqueKeysWithValues: platforms.map { ("@tool/\($0.0)", version) })
            main = main.needing(optional: binaries, in: version)
        }
        return [main]
            + platforms.map { name, restriction in
                var binary = SamplePackage("@tool/\(name)", versions[0])
                for version in versions {
                    binary.tarballs[version] = Array("\(name) \(version)".utf8)
                    binary.tags = ["latest": version]
                    binary.members[version] = restriction
                }
                return binary
            }
    }

    @Test(arguments: RegistryProgram.all)
    func `binaries come for every platform named, of every version carried`(program: RegistryProgram) async throws {
        try await RefreshWorld.run(program) { world in
            for package in Self.tool("1.0.0", "2.0.0") { world.publish(package) }
            // Somebody has installed the older one on this machine.
            try await world.seed("tool")
            _ = try await world.registry.get("/tool/-/tool-1.0.0.tgz")
            _ = try await world.registry.eventually { try world.tarballs() == ["tool/tool-1.0.0.tgz"] }
            let report = try await world.refresh { options in
                options.platforms = ["linux-x64", "win32-x64"].compactMap { TargetPlatform($0) }
            }
            #expect(report.troubles == [])
            #expect(
                try world.tarballs() == [
                    "@tool/linux-x64/linux-x64-1.0.0.tgz", "@tool/linux-x64/linux-x64-2.0.0.tgz", "@tool/win32-x64/win32-x64-1.0.0.tgz",
                    "@tool/win32-x64/win32-x64-2.0.0.tgz", "tool/tool-1.0.0.tgz", "tool/tool-2.0.0.tgz",
                ])
            // The binaries for other machines were looked at; they do not come for that.
            let again = try await world.refresh { options in
                options.platforms = ["linux-x64", "win32-x64"].compactMap { TargetPlatform($0) }
            }
            #expect((again.tarballs.fetched, again.tarballs.failed) == (0, 0))
        }
    }

    @Test func `a version in storage needs only something that satisfies it`() async throws {
        try await RefreshWorld.run { world in
            world.publish(
                SamplePackage("app", "1.0.0", "2.0.0").needing(["a": "^1", "b": "^1"], in: "1.0.0"),
                SamplePackage("a", "1.0.0", "1.1.0", "1.2.0"), SamplePackage("b", "1.0.0", "1.1.0"))
            try await world.seed("app", "a")
            for file in ["app/-/app-1.0.0.tgz", "a/-/a-1.0.0.tgz"] { _ = try await world.registry.get("/\(file)") }
            _ = try await world.registry.eventually { try world.tarballs().count == 2 }
            let report = try await world.refresh()
            #expect(report.ending == .complete)
            // `a` has its newest by policy, `b` comes since nothing of it was there; `a@1.1.0` is nobody's.
            #expect(try world.tarballs() == ["a/a-1.0.0.tgz", "a/a-1.2.0.tgz", "app/app-1.0.0.tgz", "app/app-2.0.0.tgz", "b/b-1.1.0.tgz"])
        }
    }

    @Test(arguments: [
        ([VersionPolicy.latest], ["2.1.0"]), ([.tags], ["2.1.0", "3.0.0-beta.1"]), ([.latestPerMajor], ["1.2.1", "2.1.0"]),
        ([.siblings], ["1.0.0", "1.0.5", "1.2.1"]), ([.latest, .siblings], ["1.0.0", "1.0.5", "1.2.1", "2.1.0"]),
    ])
    func `versions are kept by policy`(policies: [VersionPolicy], versions: [String]) async throws {
        try await RefreshWorld.run { world in
            world.publish(
                SamplePackage(
                    "a", "1.0.0", "1.0.5", "1.1.0", "1.2.0", "1.2.1", "2.0.0", "2.1.0", "3.0.0-beta.1",
                    tags: ["latest": "2.1.0", "next": "3.0.0-beta.1"]))
            try await world.seed("a")
            if policies.contains(.siblings) {
                _ = try await world.registry.get("/a/-/a-1.0.0.tgz")
                _ = try await world.registry.eventually { try world.tarballs().count == 1 }
            }
            _ = try await world.refresh { $0.policies = Set(policies) }
            #expect(try world.tarballs() == versions.map { "a/a-\($0).tgz" })
        }
    }

    @Test func `a delta looks at what changed lately`() async throws {
        try await RefreshWorld.run { world in
            world.publish(SamplePackage("old", "1.0.0", "1.1.0"), SamplePackage("used", "1.0.0", "1.1.0"))
            var published = SamplePackage("published", "1.0.0")
            published.modified = WallClock.system.now().description
            world.publish(published)
            try await world.seed("old", "used", "published")
            _ = try await world.registry.get("/used/-/used-1.0.0.tgz")
            _ = try await world.registry.eventually { try world.tarballs().count == 1 }
            let report = try await world.refresh { $0.scope = .delta(minutes: 60) }
            #expect(report.packages.visited == 2)
            #expect(try world.tarballs() == ["published/published-1.0.0.tgz", "used/used-1.0.0.tgz", "used/used-1.1.0.tgz"])
        }
    }

    @Test func `what lives here alone is left alone`() async throws {
        try await RefreshWorld.run(packages: "  'own-*': {access: $all, publish: $all}") { world in
            let own = SamplePackage("own-tool", "1.0.0")
            world.publish(SamplePackage("app", "1.0.0").needing(["own-tool": "^1"], in: "1.0.0"))
            _ = try await world.registry.send("PUT", "/own-tool", body: own.publication("1.0.0", at: world.registry.url))
            try await world.seed("app")
            let before = try world.registry.file("own-tool/package.json")
            let uplink = world.uplink
            let refresher = world.refresher { $0.text.hasPrefix("own-") ? [] : [uplink] }
            let report = try await refresher.run(RefreshWorld.options)
            #expect(report.troubles == [])
            #expect(report.ending == .complete)
            #expect(try world.registry.file("own-tool/package.json") == before)
            #expect(!world.upstream.requests.contains { $0.path.contains("own-tool") })
        }
    }

    @Test func `what is wanted comes, and a lockfile's versions with what it leaves out`() async throws {
        try await RefreshWorld.run { world in
            world.publish(
                SamplePackage("wanted", "1.0.0", "2.0.0").needing(["dep": "^1"], in: "1.0.0"),
                SamplePackage("locked", "1.0.0", "2.0.0").needing(["dep": "^1", "left-out": "^1"], in: "1.0.0"),
                SamplePackage("dep", "1.0.0", "1.1.0"), SamplePackage("left-out", "1.0.0"))
            func dependency(_ text: String) throws -> RegistryDependency { try RegistryDependency.read(argument: text).get() }
            let report = try await world.refresh { options in
                options.policies = []
                options.wanted = (try? [dependency("wanted@1.x"), dependency("missing")]) ?? []
                options.locked = (try? [dependency("locked@1.0.0"), dependency("dep@1.0.0")]) ?? []
            }
            #expect(report.troubles == ["no-such-package missing"])
            #expect(report.ending == .incomplete)
            #expect(
                try world.tarballs() == [
                    "dep/dep-1.0.0.tgz", "dep/dep-1.1.0.tgz", "left-out/left-out-1.0.0.tgz", "locked/locked-1.0.0.tgz",
                    "wanted/wanted-1.0.0.tgz",
                ])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a tarball that several versions name is fetched once, and never again`(program: RegistryProgram) async throws {
        try await RefreshWorld.run(program) { world in
            var package = SamplePackage("twin", "1.0.0", "1.0.1", "2.0.0")
            package.tarballs["1.0.1"] = package.tarballs["1.0.0"]
            // 1.0.1 is the same, 2.0.0 says that it is something else.
            for version in ["1.0.1", "2.0.0"] {
                var dist = package.entry(version, at: world.upstream.url).object?["dist"]?.object
                dist?["tarball"] = .string("\(world.upstream.url)/twin/-/twin-1.0.0.tgz")
                package.members[version] = JSONObject(uniqueMembers: [("dist", dist.map { .object($0) } ?? .null)])
            }
            package.tags["again"] = "1.0.1"
            world.publish(package)
            try await world.seed("twin")
            let wanted = try ["twin@1.0.0", "twin@1.0.1"].map { try RegistryDependency.read(argument: $0).get() }
            for run in 1...2 {
                _ = world.upstream.takeRequests()
                let report = try await world.refresh { options in
                    options.wanted = wanted
                    options.policies = [.tags]
                }
                #expect(report.troubles == ["version-invalid twin@2.0.0"])
                #expect(report.ending == .complete)
                #expect(report.tarballs.needed == 1)
                #expect(report.tarballs.fetched == (run == 1 ? 1 : 0))
                #expect(try world.tarballs() == ["twin/twin-1.0.0.tgz"])
                #expect(world.upstream.requests.count { $0.path.hasSuffix(".tgz") } == (run == 1 ? 1 : 0))
            }
        }
    }

    @Test func `a dry run counts and changes nothing`() async throws {
        try await RefreshWorld.run { world in
            world.publish(SamplePackage("app", "1.0.0", "2.0.0").needing(["a": "^1"], in: "2.0.0"), SamplePackage("a", "1.0.0"))
            try await world.seed("app")
            let before = try world.registry.file("app/package.json")
            let report = try await world.refresh { $0.isDryRun = true }
            #expect(report.tarballs.fetched == 2)
            #expect(report.tarballs.bytes == Int64("tarball of app 2.0.0".utf8.count + "tarball of a 1.0.0".utf8.count))
            #expect(report.requests.verdaccio == 0)
            #expect(try world.registry.file("app/package.json") == before)
            #expect(try world.registry.names(in: ".").contains("a") == false)
            #expect(try world.tarballs() == [])
        }
    }

    @Test func `dependencies that no registry has are findings`() async throws {
        try await RefreshWorld.run { world in
            world.publish(
                SamplePackage("app", "1.0.0").needing(
                    [
                        "git": "git+ssh://git@host/x.git", "url": "https://host/x.tgz", "file": "file:../x", "gone": "^1", "high": "^9",
                        "odd": "not a version",
                    ],
                    optional: ["nowhere": "*"], in: "1.0.0"),
                SamplePackage("high", "1.0.0"))
            try await world.seed("app")
            let report = try await world.refresh()
            #expect(report.ending == .complete)
            #expect(
                report.troubles == [
                    "foreign-dependency app@1.0.0", "foreign-dependency app@1.0.0", "foreign-dependency app@1.0.0",
                    "invalid-dependency app@1.0.0", "no-such-package gone", "no-such-version high@^9",
                ])
            #expect(report.findings.contains { $0.code == .noSuchPackage && $0.subject == "nowhere" && $0.severity == .note })
        }
    }
}
