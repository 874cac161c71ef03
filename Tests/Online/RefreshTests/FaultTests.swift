import CanonicalJSON
import Catalog
import Foundation
import PackageStore
import Platform
import Refresh
import Registries
import RegistryHarness
import Resolution
import Testing
import VerdaccioSettings

/// What a refresh makes of an upstream, and of a registry, that do not do what they should.
@Suite(.serialized) struct FaultTests {
    private static let good = SamplePackage("good", "1.0.0")
    private static let bad = SamplePackage("bad", "1.0.0")

    /// What upstream answers for a tarball, what is said of it, and whether the file ends up in storage.
    static let tarballFaults: [(String, ScriptedUpstream.Answer, String?, Bool)] = [
        ("404", .status(404), "tarball-gone", false),
        ("500", .status(500), "upstream-fault", false),
        ("503", .status(503), "upstream-fault", false),
        ("a page", .page, "tarball-mismatch", false),
        ("other bytes", .bytes(Array("not what was published".utf8)), "tarball-mismatch", false),
        ("too few bytes", .bytes(Array("tarball of bad 1.0".utf8)), "tarball-mismatch", false),
        ("no bytes", .bytes([]), "tarball-empty", false),
        ("cut", .cut(Array("tarball of bad 1.0.0".utf8)), "tarball-cut", false),
        ("cut in chunks", .cutChunked(Array("tarball of bad 1.0.0".utf8)), "tarball-cut", false),
        ("silence", .silence, "*", false),
    ]

    @Test(arguments: RegistryProgram.all, Self.tarballFaults.map(\.0))
    func `a tarball that cannot be had is named, nothing wrong stays in storage, and the rest comes`(
        program: RegistryProgram, name: String
    ) async throws {
        let fault = try #require(Self.tarballFaults.first { $0.0 == name })
        try await RefreshWorld.run(program) { world in
            world.publish(Self.good, Self.bad)
            world.upstream.set("/bad/-/bad-1.0.0.tgz", fault.1)
            try await world.seed("good", "bad")
            let report = try await world.refresh { options in
                options.attempts = 2
                // A page, or other bytes, are kept by the registry at once, if at all.
                options.keepTimeout = .seconds(2)
            }
            let codes = report.findings.filter { $0.subject == "bad/bad-1.0.0.tgz" }.map(\.code.rawValue)
            if fault.2 == "*" {
                // Whichever patience ends first: the registry's with its uplink, or ours with the registry.
                #expect(["tarball-cut", "verdaccio-error", "uplink-offline", "upstream-fault"].contains(codes.first ?? ""), "\(codes)")
            } else {
                #expect(codes == [fault.2])
            }
            #expect(report.tarballs.failed == 1)
            #expect(try world.tarballs() == ["good/good-1.0.0.tgz"])
            #expect(report.ending == (name == "404" ? .complete : .incomplete))
            // Once upstream is well again, the same command completes the cache.
            world.publish(Self.bad)
            let again = try await world.refresh { $0.attempts = 4 }
            #expect(again.troubles == [])
            #expect(try world.tarballs() == ["bad/bad-1.0.0.tgz", "good/good-1.0.0.tgz"])
            #expect(again.tarballs.fetched == 1)
        }
    }

    @Test func `a tarball behind a redirect comes`() async throws {
        try await RefreshWorld.run { world in
            world.publish(Self.bad)
            world.upstream.set("/elsewhere", .bytes(Array("tarball of bad 1.0.0".utf8)))
            world.upstream.set("/bad/-/bad-1.0.0.tgz", .redirect("\(world.upstream.url)/elsewhere"))
            try await world.seed("bad")
            let report = try await world.refresh()
            #expect(report.troubles == [])
            #expect(try world.tarballs() == ["bad/bad-1.0.0.tgz"])
        }
    }

    /// What upstream answers for a packument that is in storage, and what is said of it.
    static let packumentFaults: [(String, ScriptedUpstream.Answer, String)] = [
        ("404", .status(404), "gone-upstream"), ("500", .status(500), "upstream-fault"), ("a page", .page, "upstream-fault"),
        ("cut", .cut(Array("{\"name\": \"bad\"}".utf8)), "upstream-fault"), ("silence", .silence, "upstream-unreachable"),
    ]

    @Test(arguments: RegistryProgram.all, Self.packumentFaults.map(\.0))
    func `a packument that is not refreshed is told apart from one that is`(program: RegistryProgram, name: String) async throws {
        let fault = try #require(Self.packumentFaults.first { $0.0 == name })
        try await RefreshWorld.run(program) { world in
            world.publish(Self.good, Self.bad)
            try await world.seed("good", "bad")
            world.upstream.set("/bad", fault.1)
            let report = try await world.refresh { $0.attempts = 2 }
            #expect(report.findings.contains { $0.subject == "bad" && $0.code.rawValue == fault.2 }, "\(report.findings)")
            // The old copy still names a tarball that is to be had.
            #expect(try world.tarballs() == ["bad/bad-1.0.0.tgz", "good/good-1.0.0.tgz"])
            #expect(report.packages.gone + report.packages.failed == 1)
            #expect(report.ending == (name == "404" ? .complete : .incomplete))
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `an uplink taken for offline is waited for`(program: RegistryProgram) async throws {
        try await RefreshWorld.run(program, "maxage: 0s, timeout: 300ms, fail_timeout: 300ms, max_fails: 1") { world in
            world.publish(Self.good, SamplePackage("late", "1.0.0"))
            try await world.seed("good", "late")
            // One silence, and the registry asks upstream nothing more for a while, though upstream is well again.
            world.upstream.set("/late", .silence)
            _ = try await world.registry.get("/late")
            world.publish(SamplePackage("late", "1.0.0", "1.1.0"))
            let report = try await world.refresh()
            #expect(report.troubles == [])
            #expect(report.packages.refreshed == 2)
            #expect(try world.tarballs() == ["good/good-1.0.0.tgz", "late/late-1.1.0.tgz"])
        }
    }

    @Test func `where upstream stays away, it is no longer waited for after a few pauses`() async throws {
        try await RefreshWorld.run(.standIn, "maxage: 0s, timeout: 200ms, fail_timeout: 300ms") { world in
            let names = (0..<40).map { "p\($0)" }
            for name in names {
                world.publish(SamplePackage(name, "1.0.0"))
                try await world.seed(name)
            }
            for name in names { world.upstream.set("/\(name)", .silence) }
            _ = world.upstream.takeRequests()
            let report = try await world.refresh { options in
                options.parallelism = 4
                options.attempts = 2
                options.idleTimeout = .milliseconds(400)
            }
            #expect(report.ending == .incomplete)
            #expect(report.packages.failed == 40)
            #expect(report.troubles.filter { $0.hasPrefix("upstream-unreachable") }.count == 40)
            #expect(world.upstream.requests.filter { !$0.path.hasSuffix(".tgz") }.count < 30)
        }
    }

    @Test func `a copy within its maxage is fresh, and its registry is not asked again`() async throws {
        try await RefreshWorld.run(.standIn, "maxage: 10m") { world in
            world.publish(Self.good)
            try await world.seed("good")
            let report = try await world.refresh()
            #expect(report.troubles == [])
            #expect((report.packages.fresh, report.packages.refreshed) == (1, 0))
            #expect(try world.tarballs() == ["good/good-1.0.0.tgz"])
        }
    }

    @Test func `without a known upstream an old copy is called one`() async throws {
        try await RefreshWorld.run { world in
            world.publish(Self.bad)
            try await world.seed("bad")
            world.upstream.set("/bad", .status(500))
            try world.registry.edit("bad") { $0["_uplinks"] = ["up": ["fetched": 1]] }
            let report = try await world.refresher { _ in nil }.run(RefreshWorld.options)
            #expect(report.troubles.contains("old-copy bad"))
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `what upstream says and the registry never picks up is kept in the catalog`(program: RegistryProgram) async throws {
        try await RefreshWorld.run(program) { world in
            world.publish(SamplePackage("a", "1.0.0", "1.1.0", "2.0.0"))
            try await world.seed("a")
            var withdrawn = SamplePackage("a", "1.0.0", "1.1.0")
            withdrawn.deprecated = ["1.0.0": "too old"]
            world.publish(withdrawn)
            let report = try await world.refresh()
            #expect(report.overlaid == 1)
            let name = try #require(PackageName("a"))
            let overlay = try #require(try world.catalog.upstream(of: name)).overlay
            #expect(overlay.withdrawn == ["2.0.0"])
            #expect(overlay.tags == ["latest": .init(was: "2.0.0", now: "1.1.0")])
            #expect(overlay.deprecations == ["1.0.0": "too old"])
            // The version that was withdrawn is not fetched, though the registry would serve it.
            #expect(try world.tarballs() == ["a/a-1.1.0.tgz"])
            // Asked again, upstream says that nothing changed, and the overlay stays.
            let again = try await world.refresh()
            #expect(again.overlaid == 1)
            #expect(try world.catalog.upstream(of: name)?.overlay == overlay)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a damaged packument and broken version entries are findings`(program: RegistryProgram) async throws {
        try await RefreshWorld.run(program) { world in
            let broken = JSONObject(uniqueMembers: [("dependencies", ["x"]), ("optionalDependencies", ["y": 7])])
            world.publish(Self.good, SamplePackage("odd", "1.0.0").needing(in: "1.0.0", broken))
            try await world.seed("good", "odd")
            try world.registry.put([], at: "torn/package.json")
            let report = try await world.refresh()
            #expect(report.troubles.contains("verdaccio-error torn"))
            #expect(report.troubles.filter { $0 == "version-invalid odd@1.0.0" }.count == 2)
            #expect(try world.tarballs() == ["good/good-1.0.0.tgz", "odd/odd-1.0.0.tgz"])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a tarball whose name the registry refuses is named`(program: RegistryProgram) async throws {
        try await RefreshWorld.run(program) { world in
            world.publish(SamplePackage("built", "1.0.0+5"))
            try await world.seed("built")
            let report = try await world.refresh()
            #expect(report.troubles == ["tarball-name-refused built/built-1.0.0+5.tgz"])
        }
    }

    @Test func `an answer older than what was stored withdraws nothing`() async throws {
        try await RefreshWorld.run { world in
            world.publish(SamplePackage("a", "1.0.0", "1.1.0"))
            try await world.seed("a")
            var behind = SamplePackage("a", "1.0.0")
            behind.modified = "2023-05-01T00:00:00.000Z"
            world.publish(behind)
            let report = try await world.refresh()
            #expect(report.findings.contains { $0.code == .upstreamBehind && $0.subject == "a" })
            #expect(try world.catalog.upstream(of: #require(PackageName("a"))) == nil)
            #expect(try world.tarballs() == ["a/a-1.1.0.tgz"] || report.tarballs.failed == 1)
        }
    }

    @Test func `a copy that claims to be of the future is not taken for fresh`() async throws {
        try await RefreshWorld.run(.standIn, "maxage: 10m") { world in
            world.publish(Self.good)
            try await world.seed("good")
            let tomorrow = WallClock.system.now().nanoseconds / 1_000_000 + 86_400_000
            try world.registry.edit("good") { $0["_uplinks"] = ["up": ["fetched": .integer(tomorrow)]] }
            #expect(try await world.refresh().troubles == ["old-copy good"])
        }
    }

    @Test func `a copy within its maxage is an old one where upstream has more`() async throws {
        try await RefreshWorld.run(.standIn, "maxage: 10m") { world in
            world.publish(Self.good)
            try await world.seed("good")
            world.publish(SamplePackage("good", "1.0.0", "1.1.0"))
            #expect(try await world.refresh().troubles == ["old-copy good"])
        }
    }

    @Test func `a copy of which nobody knows the uplink is not taken for a package of its own`() async throws {
        try await RefreshWorld.run { world in
            world.publish(Self.bad)
            try await world.seed("bad")
            world.upstream.set("/bad", .status(500))
            try world.registry.edit("bad") { $0["_uplinks"] = [:] }
            let report = try await world.refresher { _ in nil }.run(RefreshWorld.options)
            #expect(report.troubles.contains("old-copy bad"))
        }
    }

    @Test func `what was published here is nobody else's business, though its name may be fetched`() async throws {
        try await RefreshWorld.run { world in
            let own = SamplePackage("@corp/own", "1.0.0")
            _ = try await world.registry.send("PUT", "/@corp%2fown", body: own.publication("1.0.0", at: world.registry.url))
            world.publish(Self.good)
            try await world.seed("good")
            for scope in [RefreshOptions.Scope.full, .delta(minutes: 60)] {
                let report = try await world.refresh { $0.scope = scope }
                #expect(report.troubles == [])
                #expect(report.packages.gone == 0)
            }
            #expect(!world.upstream.requests.contains { $0.path.contains("own") })
        }
    }

    @Test func `a registry that goes away for good ends the run, whatever else is under way`() async throws {
        try await RefreshWorld.run(.standIn, "maxage: 0s, timeout: 30s") { world in
            world.publish(Self.good, Self.bad)
            try await world.seed("good", "bad")
            world.upstream.set("/bad/-/bad-1.0.0.tgz", .silence)
            let refresher = world.refresher()
            var options = RefreshWorld.options
            options.idleTimeout = .seconds(30)
            let task = Task { [options] in try await refresher.run(options) }
            #expect(try await world.registry.eventually { world.upstream.requests.contains { $0.path == "/bad/-/bad-1.0.0.tgz" } })
            world.registry.stop()
            let report = try await task.value
            #expect(report.ending == .incomplete)
            #expect(report.findings.contains { $0.code == .verdaccioUnreachable })
        }
    }

    @Test func `an odd directory ends nothing`() async throws {
        try await RefreshWorld.run { world in
            world.publish(Self.good)
            try await world.seed("good")
            try world.registry.put([], at: "odd/package.json/x")
            for scope in [RefreshOptions.Scope.full, .delta(minutes: 1_000_000_000)] {
                let report = try await world.refresh { $0.scope = scope }
                #expect(report.findings.contains { $0.subject.hasPrefix("odd") }, "\(report.findings)")
                #expect(try world.tarballs() == ["good/good-1.0.0.tgz"])
            }
        }
    }

    @Test func `a registry that is not there is said at once`() async throws {
        try await RefreshWorld.run { world in
            let gone = Refresher(
                registry: ProxyRegistry(url: "http://127.0.0.1:1", authorization: nil, uplinks: { _ in nil }),
                layout: StorageLayout(root: world.registry.storage), catalog: world.catalog)
            await #expect(throws: RefreshError.self) { try await gone.run(RefreshWorld.options) }
        }
    }

    @Test func `an uplink that keeps nothing is said at once`() async throws {
        try await RefreshWorld.run { world in
            world.publish(Self.good)
            try await world.seed("good")
            var uplink = world.uplink
            uplink.caches = false
            let refresher = world.refresher { [uplink] _ in [uplink] }
            await #expect(throws: RefreshError.self) { try await refresher.run(RefreshWorld.options) }
        }
    }

    @Test func `a registry that keeps nothing is found out`() async throws {
        try await RefreshWorld.run(.standIn, "maxage: 0s, cache: false") { world in
            world.publish(Self.good)
            try await world.seed("good")
            let report = try await world.refresh { $0.keepTimeout = .milliseconds(100) }
            #expect(report.troubles == ["tarball-not-kept good/good-1.0.0.tgz"])
        }
    }

    @Test func `a cancelled refresh ends, and the next one goes on`() async throws {
        try await RefreshWorld.run { world in
            world.publish(Self.good, Self.bad)
            try await world.seed("good", "bad")
            world.upstream.set("/bad/-/bad-1.0.0.tgz", .silence)
            let refresher = world.refresher()
            var options = RefreshWorld.options
            options.idleTimeout = .seconds(3600)
            let task = Task { [options] in try await refresher.run(options) }
            #expect(try await world.registry.eventually { try world.tarballs() == ["good/good-1.0.0.tgz"] })
            #expect(try await world.registry.eventually { world.upstream.requests.contains { $0.path == "/bad/-/bad-1.0.0.tgz" } })
            task.cancel()
            #expect(try await task.value.ending == .cancelled)
            world.publish(Self.bad)
            let report = try await world.refresh()
            #expect(report.ending == .complete)
            #expect(report.tarballs.fetched == 1)
        }
    }
}
