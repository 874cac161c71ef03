import Activation
import Adoption
import BundleFormat
import CanonicalJSON
import ImportLedger
import ImportPipeline
import PackageStore
import Platform
import Snapshots
import SystemPackage
import Testing

/// A storage that the old scripts filled is taken over.
@Suite struct AdoptionTests {
    /// What copying a proxy's storage leaves: versions that were never fetched, addresses to fetch them from, a package of which nothing is here.
    private func prepared() throws -> World {
        let world = try World()
        try world.put(
            "foo", ["1.0.0": "foo one", "1.1.0": "foo two"], tags: ["latest": "2.0.0", "next": "3.0.0-beta.1", "old": "1.0.0"],
            knownOnly: ["2.0.0", "3.0.0-beta.1"], isProxied: true, in: world.isolated)
        try world.put("@scope/bar", ["1.0.0": "bar one"], isProxied: true, in: world.isolated)
        try world.put("void", [:], tags: ["latest": "1.0.0"], knownOnly: ["1.0.0"], isProxied: true, in: world.isolated)
        try world.put("own", ["1.0.0": "published inside"], in: world.isolated)
        try world.files.createDirectories(world.isolated.appending("broken"))
        try world.files.write(Array("{".utf8), to: world.isolated.appending("broken/package.json"))
        return world
    }

    private func adoption(_ world: World, files: any FileSystem = DiskFileSystem()) -> Adoption {
        Adoption(
            layout: StorageLayout(root: world.isolated), state: world.root.appending("offline-state"), ledger: world.ledger, files: files,
            patience: PackageLock.Patience(attempts: 2, pause: {}))
    }

    @Test func `the plan says what would be cut, and changes nothing`() throws {
        let world = try prepared()
        let before = try world.contents()
        let plan = try adoption(world).plan()
        #expect(plan.packages == 5 && plan.tarballs == 4)
        #expect(plan.cuts.map(\.package.text) == ["@scope/bar", "foo", "void"])
        #expect(plan.cuts.map { Set($0.dropped) } == [[], ["2.0.0", "3.0.0-beta.1"], ["1.0.0"]] && plan.cuts.map(\.origins) == [1, 4, 1])
        #expect(plan.cuts.map(\.isGone) == [false, false, true])
        #expect(plan.findings.map(\.code) == [.packumentInvalid])
        #expect(try world.contents() == before && world.ledger.imports().isEmpty)
    }

    @Test func `packuments are cut to what is here, what is here is recorded as local, and each is kept`() throws {
        let world = try prepared()
        let before = try world.contents()
        let report = try adoption(world).run(operatorName: "tester")
        #expect(report.cuts.count == 3 && report.tarballs == 4)
        let foo = try world.packument("foo")
        #expect(Set((foo["versions"]?.object?.members ?? []).map(\.name)) == ["1.0.0", "1.1.0"])
        #expect(foo["dist-tags"] == ["latest": "1.1.0", "old": "1.0.0"] && foo["_distfiles"] == [:] && foo["_uplinks"] == [:])
        #expect(Set((foo["_attachments"]?.object?.members ?? []).map(\.name)) == ["foo-1.0.0.tgz", "foo-1.1.0.tgz"])
        #expect(try world.files.status(of: world.isolated.appending("void")) == nil)
        #expect(try world.contents()["own/package.json"] == before["own/package.json"])
        #expect(try world.contents()["broken/package.json"] == before["broken/package.json"])
        #expect(try world.backups().values.contains(before["foo/package.json"] ?? []))
        #expect(try Set(world.ledger.changes(by: 1).filter { $0.outcome == .adopted }.map(\.path.description)).count == 4)
        #expect(try world.ledger.audit().findings.isEmpty && !adoption(world).isDue())
    }

    @Test func `what was adopted is local to the imports that follow, and nothing of it is lost`() throws {
        let world = try prepared()
        _ = try adoption(world).run(operatorName: "tester")
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"])
        try world.put("own", ["9.0.0": "a public namesake"])
        try world.snapshot()
        let report = try world.run(world.bundle())
        #expect(report.outcomes == ["added": 1, "held": 1, "owned-locally": 1])
        let versions = try world.packument("foo")["versions"]?.object?.members.map(\.name)
        #expect(Set(versions ?? []) == ["1.0.0", "1.1.0", "2.0.0"])
    }

    @Test func `an adoption is undone to the byte, but for what nobody could install`() throws {
        let world = try prepared()
        let before = try world.contents().filter { !$0.key.hasPrefix("void/") }
        _ = try adoption(world).run(operatorName: "tester")
        try world.rollBack(1)
        #expect(try world.contents() == before)
    }

    @Test func `an adoption that was interrupted is completed from each of its steps`() throws {
        var steps = 0
        var isOver = false
        while !isOver {
            let world = try prepared()
            do {
                _ = try adoption(world, files: CrashingFileSystem(stepsUntilCrash: steps)).run(operatorName: "tester")
                isOver = true
            } catch is FileSystemError {
                #expect(try adoption(world).isDue(), "after step \(steps)")
                try world.pipeline().recover()
                _ = try adoption(world).run(operatorName: "tester")
            }
            #expect(try adoption(world).plan().cuts.isEmpty, "after step \(steps)")
            #expect(try world.ledger.imports().count == 1 && world.ledger.changes(by: 1).count == 4, "after step \(steps)")
            let left = try world.contents().keys.filter {
                $0.contains(".lock") || $0.contains("/.package.json") || $0.contains(".ferry-stage")
            }
            #expect(left.isEmpty, "after step \(steps)")
            steps += 1
        }
        #expect(steps > 20)
    }
}
