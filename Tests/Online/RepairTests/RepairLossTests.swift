import ArchiveSamples
import CanonicalJSON
import Catalog
import Foundation
import Integrity
import PackageStore
import Platform
import Registries
import RegistryHarness
import Repair
import Testing

/// What a repair must not lose: what was published here, whatever else happens to it.
@Suite(.serialized) struct RepairLossTests {
    private func half(_ world: RepairWorld, _ name: String) throws {
        let whole = try #require(try world.registry.file("\(name)/package.json"))
        try world.registry.put(Array(whole.prefix(whole.count / 2)), at: "\(name)/package.json")
    }

    private func tags(_ world: RepairWorld, _ name: String) throws -> [String: String] {
        (try world.registry.packument(name)?["dist-tags"]?.object?.dictionary ?? [:]).compactMapValues(\.string)
    }

    private func tag(_ world: RepairWorld, _ name: String, _ tag: String, _ version: String) throws {
        try world.registry.edit(name) { packument in
            var tags = packument["dist-tags"]?.object ?? JSONObject()
            tags[tag] = .string(version)
            packument["dist-tags"] = .object(tags)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `tags come back as the last scan saw them, on upstream's versions, too`(program: RegistryProgram) async throws {
        try await RepairWorld.run(program) { world in
            try await world.cache(RepairWorld.package("foo", "1.0.0", "1.1.0"))
            try await world.publish(RepairWorld.package("foo", "98.0.0-rc.1"), "98.0.0-rc.1")
            for (name, version) in [("latest", "1.1.0"), ("stable", "1.0.0"), ("rc", "98.0.0-rc.1")] {
                try tag(world, "foo", name, version)
            }
            try world.check()
            try half(world, "foo")
            try world.check()
            #expect(try await world.repair() == ["foo/package.json: fetched again, with 1 versions that were published here"])
            #expect(try tags(world, "foo") == ["latest": "1.1.0", "stable": "1.0.0", "rc": "98.0.0-rc.1"])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `where nobody has seen the tags, latest is upstream's, and no version that was published here`(program: RegistryProgram)
        async throws
    {
        try await RepairWorld.run(program) { world in
            try await world.cache(RepairWorld.package("foo", "1.0.0", "1.1.0"))
            try await world.publish(RepairWorld.package("foo", "98.0.0-rc.1"), "98.0.0-rc.1")
            try half(world, "foo")
            try world.check()
            #expect(try await world.repair().allSatisfy { !$0.hasPrefix("!") })
            #expect(try tags(world, "foo")["latest"] == "1.1.0")
            #expect(
                try world.registry.packument("foo")?["versions"]?.object?.members.map(\.name).sorted() == ["1.0.0", "1.1.0", "98.0.0-rc.1"])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a packument that lacks attachments alone keeps all the rest, with upstream down, too`(program: RegistryProgram) async throws {
        try await RepairWorld.run(program) { world in
            try await world.cache(RepairWorld.package("foo", "1.0.0"))
            try await world.publish(RepairWorld.package("foo", "2.0.0"), "2.0.0")
            try await world.publish(RepairWorld.package("own", "1.0.0"), "1.0.0")
            var before: [String: JSONObject] = [:]
            for name in ["foo", "own"] {
                try world.registry.edit(name) { packument in
                    packument["readme"] = "what people wrote"
                    var versions = packument["versions"]?.object ?? JSONObject()
                    for (version, entry) in versions.members {
                        var entry = entry.object ?? JSONObject()
                        entry["deprecated"] = "not good"
                        versions[version] = .object(entry)
                    }
                    packument["versions"] = .object(versions)
                }
                before[name] = try world.registry.packument(name)
                try world.registry.edit(name) { $0["_attachments"] = nil }
            }
            world.upstream.set("/foo", .status(500))
            try world.check()
            #expect(
                try await world.repair() == ["foo", "own"].map { "\($0)/package.json: its \"_attachments\" were made anew" })
            for name in ["foo", "own"] {
                var after = try #require(try world.registry.packument(name))
                let attachments = after["_attachments"]?.object?.dictionary ?? [:]
                #expect(Set(attachments.keys) == (name == "foo" ? ["foo-1.0.0.tgz", "foo-2.0.0.tgz"] : ["own-1.0.0.tgz"]))
                #expect(attachments["foo-2.0.0.tgz"]?.object?["version"] == (name == "foo" ? "2.0.0" : nil))
                after["_attachments"] = before[name]?["_attachments"]
                #expect(after == before[name])
            }
            try await world.publish(RepairWorld.package("own", "1.0.1"), "1.0.1")
            #expect(try world.check() == [])
        }
    }

    @Test(arguments: RegistryProgram.all, [true, false])
    func `a damaged tarball of a version published here stays where it is, though its packument is damaged, too`(
        program: RegistryProgram, hasSnapshot: Bool
    ) async throws {
        try await RepairWorld.run(program) { world in
            for version in ["1.0.0", "1.1.0"] { try await world.publish(RepairWorld.package("@corp/own", version), version) }
            try world.check()
            if hasSnapshot { try world.snapshot() }
            try world.registry.put([1, 2, 3], at: "@corp/own/own-1.0.0.tgz")
            try half(world, "@corp/own")
            for _ in 0..<3 {
                #expect(try world.check().contains("@corp/own/own-1.0.0.tgz not-gzip damaged"))
                let done = try await world.repair()
                #expect(done.contains { $0.hasPrefix("! @corp/own/own-1.0.0.tgz") }, "\(done)")
            }
            #expect(try world.registry.file("@corp/own/own-1.0.0.tgz") == [1, 2, 3])
            let versions = try world.registry.packument("@corp/own")?["versions"]?.object?.dictionary.keys.sorted()
            #expect(versions == (hasSnapshot ? ["1.0.0", "1.1.0"] : ["1.1.0"]))
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a snapshot that found the packument damaged does not hide what one before it holds`(program: RegistryProgram) async throws {
        try await RepairWorld.run(program) { world in
            try await world.publish(RepairWorld.package("own", "1.0.0"), "1.0.0")
            try world.registry.edit("own") { packument in
                packument["versions"] = [
                    "1.0.0": .object(
                        {
                            var entry = packument["versions"]?.object?["1.0.0"]?.object ?? JSONObject()
                            entry["deprecated"] = "not good"
                            return entry
                        }())
                ]
            }
            try await world.publish(RepairWorld.package("other", "1.0.0"), "1.0.0")
            try world.check()
            try world.snapshot()
            try half(world, "own")
            try world.check()
            try world.snapshot(allowsShrinking: true)
            #expect(try await world.repair() == ["own/package.json: made anew, with 1 versions that were published here"])
            #expect(try world.registry.packument("own")?["versions"]?.object?["1.0.0"]?.object?["deprecated"] == "not good")
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a version published here is not given up for one of upstream that bears its number`(program: RegistryProgram) async throws {
        try await RepairWorld.run(program) { world in
            try await world.cache(RepairWorld.package("foo", "1.0.0"))
            try await world.publish(RepairWorld.package("foo", "1.0.1"), "1.0.1")
            let ours = try #require(try world.registry.file("foo/foo-1.0.1.tgz"))
            try world.check()
            var theirs = RepairWorld.package("foo", "1.0.0", "1.0.1")
            theirs.tarballs["1.0.1"] = RepairWorld.package("foo", "1.0.1 of another").tarballs["1.0.1 of another"]
            world.upstream.set(theirs)
            try half(world, "foo")
            for _ in 0..<2 {
                try world.check()
                #expect(try await world.repair().allSatisfy { !$0.hasPrefix("!") })
            }
            #expect(try world.check() == [])
            #expect(try world.registry.file("foo/foo-1.0.1.tgz") == ours)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a good tarball is not given up for a packument that declares another digest`(program: RegistryProgram) async throws {
        try await RepairWorld.run(program) { world in
            try await world.cache(RepairWorld.package("foo", "1.0.0"), RepairWorld.package("mixed", "1.0.0"))
            try await world.publish(RepairWorld.package("mixed", "1.0.1"), "1.0.1")
            let wrong = "sha512-\(Data(SHA512.digest(of: [1]).bytes).base64EncodedString())"
            for name in ["foo", "mixed"] {
                try world.registry.edit(name) { packument in
                    var versions = packument["versions"]?.object ?? JSONObject()
                    var entry = versions["1.0.0"]?.object ?? JSONObject()
                    var dist = entry["dist"]?.object ?? JSONObject()
                    dist["integrity"] = .string(wrong)
                    entry["dist"] = .object(dist)
                    versions["1.0.0"] = .object(entry)
                    packument["versions"] = .object(versions)
                }
            }
            let paths = ["foo/foo-1.0.0.tgz", "mixed/mixed-1.0.0.tgz"]
            let before = try paths.map { try world.registry.file($0) }
            #expect(try world.check() == paths.map { "\($0) digest-mismatch damaged" })
            let done = try await world.repair()
            #expect(done.first?.hasPrefix("foo/foo-1.0.0.tgz: it is upstream's; its packument") == true, "\(done)")
            #expect(done.last?.hasPrefix("! mixed/mixed-1.0.0.tgz") == true && done.last?.contains("1.0.1") == true, "\(done)")
            #expect(try paths.map { try world.registry.file($0) } == before)
            #expect(try world.check() == ["mixed/mixed-1.0.0.tgz digest-mismatch damaged"])
            #expect(try world.quarantined() == [])
            // The bytes were good all along: a bundle may carry them.
            let good = SHA512.digest(of: try #require(before[0]))
            #expect(try !world.catalog.damagedDigests().contains(good))
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `while Verdaccio gives no answer nothing is taken away`(program: RegistryProgram) async throws {
        try await RepairWorld.run(program) { world in
            try await world.cache(RepairWorld.package("foo", "1.0.0"))
            try world.registry.put([1, 2, 3], at: "foo/foo-1.0.0.tgz")
            try world.check()
            await #expect(throws: Repairer.Unreachable.self) { _ = try await world.repair(at: "http://127.0.0.1:9") }
            #expect(try world.registry.file("foo/foo-1.0.0.tgz") == [1, 2, 3])
            #expect(try world.check() == ["foo/foo-1.0.0.tgz not-gzip damaged"] && world.quarantined() == [])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `what Verdaccio would fetch for another user only is not taken away`(program: RegistryProgram) async throws {
        try await RepairWorld.run(program) { world in
            try await world.cache(RepairWorld.package("foo", "1.0.0"), RepairWorld.package("@a/bar", "1.0.0"))
            try world.registry.put([1, 2, 3], at: "foo/foo-1.0.0.tgz")
            try world.registry.put([], at: "@a/bar/package.json")
            try world.check()
            try await ScriptedUpstream.run { wall in
                wall.set("/-/ping", .bytes(Array("{}".utf8)))
                for name in ["foo", "@a%2fbar"] { wall.set("/-/package/\(name)/dist-tags", .status(401)) }
                let done = try await world.repair(at: wall.url)
                #expect(done.count == 2 && done.allSatisfy { $0.hasPrefix("!") && $0.contains("wants a token") }, "\(done)")
            }
            #expect(try world.registry.file("foo/foo-1.0.0.tgz") == [1, 2, 3] && world.registry.file("@a/bar/package.json") == [])
            #expect(try world.quarantined() == [])
        }
    }

    @Test func `a registry that is waited for in vain is waited for once, not for each file`() {
        let patience = SharedPatience(.seconds(3))
        #expect(patience.allows(.seconds(3), .whenUplinkIsBack) && patience.allows(.zero, .whenVerdaccioAnswers))
        #expect(!patience.allows(.seconds(4), .whenUplinkIsBack))
        // Those after it are tried once, and again where that is worth it.
        #expect(!patience.allows(.seconds(1), .whenUplinkIsBack) && patience.allows(.seconds(1), .atOnce))
        #expect(!patience.isVerdaccioLost)
        patience.renew()
        #expect(patience.allows(.seconds(1), .whenUplinkIsBack))
        #expect(!patience.allows(.seconds(4), .whenVerdaccioAnswers) && patience.isVerdaccioLost)
    }
}
