import ArchiveSamples
import CanonicalJSON
import Catalog
import PackageStore
import RegistryHarness
import Testing

/// What a repair brings back, what it leaves alone, and what it never loses.
@Suite(.serialized) struct RepairTests {
    private static let damages: [(kind: DamageKind, change: @Sendable ([UInt8]) -> [UInt8])] = [
        (.truncated, { Array($0.dropLast(20)) }), (.empty, { _ in [] }), (.notGzip, { _ in Array("<html>portal</html>".utf8) }),
        (.corruptData, { bytes in bytes.prefix(10) + [7] + bytes.dropFirst(11) }),
        (.checksum, { bytes in bytes.dropLast(8) + bytes.suffix(8).map { $0 ^ 1 } }),
        (.badTar, { _ in Gzip.stored(Array(repeating: 65, count: 4096)) }), (.trailingBytes, { $0 + [1, 2, 3] }),
        (.digestMismatch, { _ in Gzip.stored(TarImage(package: "another").bytes) }),
    ]

    @Test(arguments: RegistryProgram.all)
    func `every kind of damage is found and replaced, and nothing else is touched`(program: RegistryProgram) async throws {
        try await RepairWorld.run(program) { world in
            let names = Self.damages.indices.map { $0 % 2 == 0 ? "pkg\($0)" : "@scope/pkg\($0)" }
            for name in names { try await world.cache(RepairWorld.package(name, "1.0.0", "1.1.0")) }
            #expect(try world.check() == [])
            let packuments = try names.map { try world.registry.file("\($0)/package.json") }
            var expected: [String] = []
            for (name, damage) in zip(names, Self.damages) {
                let file = RepairWorld.package(name).file("1.0.0")
                try world.registry.put(damage.change(try #require(try world.registry.file("\(name)/\(file)"))), at: "\(name)/\(file)")
                expected.append("\(name)/\(file) \(damage.kind.rawValue) damaged")
            }
            #expect(try Set(world.check()) == Set(expected))
            let done = try await world.repair()
            #expect(done.count == names.count && done.allSatisfy { $0.contains("fetched again") }, "\(done)")
            #expect(try world.check() == [])
            #expect(try world.quarantined() == [])
            for name in names {
                let package = RepairWorld.package(name, "1.0.0", "1.1.0")
                for version in ["1.0.0", "1.1.0"] {
                    #expect(try world.registry.file("\(name)/\(package.file(version))") == package.tarballs[version])
                }
            }
            // Verdaccio itself notes each download; what it knows of upstream is as it was.
            for (name, before) in zip(names, packuments) {
                let now = try #require(try world.registry.packument(name))
                let then = try #require(try before.flatMap { try JSONParser.parse($0, mode: .likeJavaScript).object })
                #expect(now["_distfiles"] == then["_distfiles"] && now["versions"] == then["versions"])
            }
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `what upstream no longer has stays in quarantine, and comes back when upstream has it again`(program: RegistryProgram) async throws
    {
        try await RepairWorld.run(program) { world in
            let foo = RepairWorld.package("foo", "1.0.0")
            try await world.cache(foo)
            try world.registry.put([1, 2, 3], at: "foo/foo-1.0.0.tgz")
            world.upstream.set("/foo/-/foo-1.0.0.tgz", .status(404))
            try world.check()
            #expect(try await world.repair() == ["! foo/foo-1.0.0.tgz: upstream has it no more"])
            #expect(try world.quarantined() == ["foo/foo-1.0.0.tgz"])
            #expect(try world.tarballs(of: "foo").isEmpty)
            #expect(try world.check() == ["foo/foo-1.0.0.tgz not-gzip missing"])
            let missing = try #require(try world.catalog.brokenArchives().first)
            #expect(missing.isGoneUpstream && missing.attempts.count == 1 && missing.quarantined != nil)
            #expect(try await world.repair() == ["! foo/foo-1.0.0.tgz: upstream has it no more"])
            #expect(try world.quarantined() == ["foo/foo-1.0.0.tgz"])

            world.upstream.set(foo)
            #expect(try await world.repair().map { $0.contains("fetched again") } == [true])
            #expect(try world.check() == [] && world.quarantined() == [])
            #expect(try world.catalog.brokenArchives([.repaired]).first?.attempts.map(\.isRepaired) == [false, false, true])
        }
    }

    @Test(arguments: RegistryProgram.all, ["", "{\"name\":\"foo\",\"versions\":{\"1.0", "null", "missing"])
    func `a packument that cannot be used comes back with what was published here`(program: RegistryProgram, damage: String) async throws {
        try await RepairWorld.run(program) { world in
            try await world.cache(RepairWorld.package("foo", "1.0.0", "1.1.0"), RepairWorld.package("alone", "1.0.0"))
            let local = RepairWorld.package("foo", "1.0.1-corp.1", "9.0.0")
            for version in ["1.0.1-corp.1", "9.0.0"] { try await world.publish(local, version) }
            try world.check()
            for name in ["foo", "alone"] {
                if damage == "missing" {
                    try world.registry.remove("\(name)/package.json")
                } else {
                    try world.registry.put(Array(damage.utf8), at: "\(name)/package.json")
                }
            }
            #expect(try world.check().count == (damage == "missing" ? 5 : 2))
            let done = try await world.repair()
            #expect(!done.contains { $0.hasPrefix("!") }, "\(done)")
            #expect(try world.check() == [] && world.quarantined() == [])
            let foo = try #require(try await world.registry.get("/foo").json?.object)
            #expect(Set(foo["versions"]?.object?.members.map(\.name) ?? []) == ["1.0.0", "1.1.0", "1.0.1-corp.1", "9.0.0"])
            for version in ["1.0.1-corp.1", "9.0.0"] {
                #expect(try await world.registry.get("/foo/-/\(local.file(version))").body == local.tarballs[version])
                let entry = foo["versions"]?.object?[version]?.object
                #expect(entry?["dist"]?.object?["integrity"] == local.entry(version, at: "").object?["dist"]?.object?["integrity"])
            }
            // Whoever publishes next finds a packument that takes it.
            try await world.publish(RepairWorld.package("foo", "9.1.0"), "9.1.0")
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `the last snapshot gives tags and times of what was published here`(program: RegistryProgram) async throws {
        try await RepairWorld.run(program) { world in
            try await world.cache(RepairWorld.package("foo", "1.0.0"))
            try await world.publish(RepairWorld.package("foo", "2.0.0"), "2.0.0")
            try world.check()
            try world.snapshot()
            let before = try #require(try world.registry.packument("foo"))
            try world.registry.put([], at: "foo/package.json")
            try world.check()
            #expect(try await world.repair().allSatisfy { !$0.hasPrefix("!") })
            let after = try #require(try world.registry.packument("foo"))
            #expect(after["time"]?.object?["2.0.0"] == before["time"]?.object?["2.0.0"])
            #expect(after["dist-tags"]?.object?["latest"] == "2.0.0")
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `what was published here and is damaged is left where it is`(program: RegistryProgram) async throws {
        try await RepairWorld.run(program) { world in
            try await world.publish(RepairWorld.package("own", "1.0.0"), "1.0.0")
            try await world.cache(RepairWorld.package("mixed", "1.0.0"))
            try await world.publish(RepairWorld.package("mixed", "1.0.1"), "1.0.1")
            for path in ["own/own-1.0.0.tgz", "mixed/mixed-1.0.1.tgz"] { try world.registry.put([9, 9], at: path) }
            #expect(try world.check().count == 2)
            let done = try await world.repair()
            #expect(done.count == 2 && done.allSatisfy { $0.hasPrefix("!") && $0.contains("published here") }, "\(done)")
            for path in ["own/own-1.0.0.tgz", "mixed/mixed-1.0.1.tgz"] { #expect(try world.registry.file(path) == [9, 9]) }
            #expect(try world.check().count == 2 && world.quarantined() == [])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `where Verdaccio has lost an address, a proxied packument is fetched anew and a mixed one is not edited`(program: RegistryProgram)
        async throws
    {
        try await RepairWorld.run(program) { world in
            try await world.cache(RepairWorld.package("foo", "1.0.0", "1.1.0"), RepairWorld.package("mixed", "1.0.0"))
            try await world.publish(RepairWorld.package("mixed", "1.0.1"), "1.0.1")
            for name in ["foo", "mixed"] {
                try world.registry.edit(name) { packument in
                    var files = packument["_distfiles"]?.object ?? JSONObject()
                    files["\(name)-1.0.0.tgz"] = nil
                    packument["_distfiles"] = .object(files)
                }
                try world.registry.put([9, 9], at: "\(name)/\(name)-1.0.0.tgz")
            }
            let packument = try world.registry.packument("mixed")
            try world.check()
            let done = try await world.repair()
            #expect(
                done.first?.contains("fetched again") == true && done.last?.contains("holds versions published here (1.0.1)") == true,
                "\(done)")
            #expect(try world.check() == ["mixed/mixed-1.0.0.tgz not-gzip damaged"])
            #expect(try world.registry.packument("mixed")?["versions"] == packument?["versions"])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `what was published here stays where Verdaccio has made its packument anew without it`(program: RegistryProgram) async throws {
        try await RepairWorld.run(program) { world in
            try await world.cache(RepairWorld.package("foo", "1.0.0"))
            let own = RepairWorld.package("foo", "2.0.0")
            try await world.publish(own, "2.0.0")
            try world.check()
            try world.snapshot()
            try world.registry.remove("foo/package.json")
            // Somebody asks before anything is repaired.
            #expect(try await world.registry.get("/foo").json?.object?["versions"]?.object?["2.0.0"] == nil)
            #expect(try world.check().contains { $0.hasPrefix("foo/foo-2.0.0.tgz no-packument-entry") })
            let done = try await world.repair()
            #expect(done.contains { $0.hasPrefix("!") && $0.contains("it is 2.0.0, which was published here") }, "\(done)")
            #expect(try world.registry.file("foo/foo-2.0.0.tgz") == own.tarballs["2.0.0"])
            // As the words say.
            try world.registry.remove("foo/foo-2.0.0.tgz")
            try await world.publish(own, "2.0.0")
            #expect(try world.check() == [])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a tarball that no version names is named, or leaves for quarantine`(program: RegistryProgram) async throws {
        try await RepairWorld.run(program) { world in
            let foo = RepairWorld.package("foo", "1.0.0", "2.0.0")
            try await world.cache(RepairWorld.package("foo", "1.0.0"))
            try world.registry.put(foo.tarballs["2.0.0"] ?? [], at: "foo/foo-2.0.0.tgz")
            try world.registry.put(RepairWorld.package("foo", "8.0.0").tarballs["8.0.0"] ?? [], at: "foo/foo-8.0.0.tgz")
            try world.registry.put([1], at: "nowhere/nowhere-1.0.0.tgz")
            #expect(try world.check().count == 3)
            world.upstream.set(foo)
            let done = try await world.repair()
            #expect(done.count == 3 && done.first == "foo/foo-2.0.0.tgz: a version names it now, and it is what was published", "\(done)")
            #expect(done.dropFirst().allSatisfy { $0.contains("no version names it") }, "\(done)")
            #expect(try world.check() == [])
            #expect(try world.quarantined() == ["foo/foo-8.0.0.tgz", "nowhere/nowhere-1.0.0.tgz"])
            #expect(try world.registry.names(in: "nowhere").isEmpty && !world.registry.names(in: "").contains("nowhere"))
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `while upstream gives no answer nothing is taken away that only it can tell of`(program: RegistryProgram) async throws {
        try await RepairWorld.run(program) { world in
            try await world.cache(RepairWorld.package("foo", "1.0.0"), RepairWorld.package("bar", "1.0.0"))
            try world.registry.put([], at: "foo/package.json")
            try world.registry.put([1], at: "bar/bar-9.0.0.tgz")
            try world.check()
            for path in ["/foo", "/bar"] { world.upstream.set(path, .status(500)) }
            let done = try await world.repair()
            #expect(done.count == 2 && done.allSatisfy { $0.hasPrefix("!") && $0.contains("upstream") }, "\(done)")
            #expect(try world.registry.file("foo/package.json") == [] && world.registry.file("bar/bar-9.0.0.tgz") == [1])
            let blind = try await world.repair(knowsUpstream: false)
            #expect(blind.first?.hasPrefix("!") == true || blind.last?.contains("name verdaccio's configuration") == true, "\(blind)")
            #expect(try world.registry.file("foo/package.json") == [])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `wrong bytes from upstream are no repair`(program: RegistryProgram) async throws {
        try await RepairWorld.run(program) { world in
            try await world.cache(RepairWorld.package("foo", "1.0.0"))
            try world.registry.put([1, 2, 3], at: "foo/foo-1.0.0.tgz")
            world.upstream.set("/foo/-/foo-1.0.0.tgz", .bytes(RepairWorld.package("other", "1.0.0").tarballs["1.0.0"] ?? []))
            try world.check()
            let done = try await world.repair()
            #expect(done.count == 1 && done.first?.contains("not those that were published") == true, "\(done)")
            #expect(try world.tarballs(of: "foo").isEmpty && world.quarantined() == ["foo/foo-1.0.0.tgz"])
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a packument without attachments, which would end Verdaccio, is replaced`(program: RegistryProgram) async throws {
        try await RepairWorld.run(program) { world in
            try await world.cache(RepairWorld.package("foo", "1.0.0"))
            try world.registry.edit("foo") { $0["_attachments"] = nil }
            #expect(try world.check() == ["foo/package.json packument-unreadable damaged"])
            let done = try await world.repair()
            #expect(done == ["foo/package.json: its \"_attachments\" were made anew"])
            #expect(try world.check() == [] && world.registry.packument("foo")?["_attachments"]?.object != nil)
        }
    }
}
