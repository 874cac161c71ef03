import Activation
import Backups
import BundleFormat
import CanonicalJSON
import Foundation
import ImportLedger
import ImportPipeline
import Integrity
import PackageStore
import Platform
import Rollbacks
import Snapshots
import SystemPackage
import Testing
import Verification

/// What becomes inside of versions that have left their origin.
@Suite struct RemovalTests {
    private func versions(_ world: World, _ name: String, in storage: FilePath? = nil) throws -> Set<String> {
        try Set((world.packument(name)["versions"]?.object?.members ?? []).map(\.name))
    }

    /// A destination that holds two versions of `foo`, one of `bar` and others, and a bundle after which `foo` 2.0.0 is withdrawn and `bar`
    /// is gone.
    private func prepared() throws -> (World, next: FilePath) {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"], isProxied: true)
        try world.put("bar", ["1.0.0": "bar one"])
        for number in 0..<2 { try world.put("filler-\(number)", ["1.0.0": "\(number)"]) }
        let first = try world.snapshot().header.id
        try world.run(world.bundle())
        try world.refresh("foo", ["1.0.0": [:]], tags: ["latest": "1.0.0"])
        try world.files.removeTree(world.online.appending("bar"))
        try world.snapshot(allowsShrinking: true)
        return (world, try world.bundle(from: first))
    }

    private func options(_ withdrawn: RemovalPolicy, _ removed: RemovalPolicy = .keep) -> ImportPipeline.Options {
        var options = ImportPipeline.Options.oneAtATime
        options.withdrawn = withdrawn
        options.removed = removed
        return options
    }

    private func keeper(_ world: World) -> QuarantineKeeper {
        QuarantineKeeper(layout: StorageLayout(root: world.isolated), state: world.root.appending("offline-state"), ledger: world.ledger)
    }

    private func visible(_ world: World) throws -> [String: [UInt8]] { try world.contents().filter { !$0.key.hasPrefix(".ferry") } }

    @Test func `by default everything stays`() throws {
        let (world, next) = try prepared()
        let before = try world.contents()
        let report = try world.run(next)
        #expect(report.taken.isEmpty && report.withdrawn.map(\.description) == ["foo/foo-2.0.0.tgz"])
        #expect(try world.contents().keys.sorted() == before.keys.sorted())
        #expect(try versions(world, "foo") == ["1.0.0", "2.0.0"])
    }

    @Test func `a withdrawn version goes into quarantine, what has left otherwise stays, and the rest is served`() throws {
        let (world, next) = try prepared()
        let report = try world.run(next, options(.quarantine))
        #expect(report.taken.map(\.description) == ["foo/foo-2.0.0.tgz"] && report.outcomes["quarantined"] == 1)
        #expect(try versions(world, "foo") == ["1.0.0"] && world.packument("foo")["dist-tags"] == ["latest": "1.0.0"])
        #expect(try versions(world, "bar") == ["1.0.0"])
        #expect(try world.files.status(of: world.isolated.appending("foo/foo-2.0.0.tgz")) == nil)
        try world.expectServable()
        let listed = try keeper(world).list()
        #expect(listed.map { "\($0.entry.package)@\($0.entry.version.version) by \($0.record?.id ?? 0)" } == ["foo@2.0.0 by 2"])
        #expect(try world.files.contents(of: listed[0].entry.path, limit: 100) == Array("foo two".utf8))
        #expect(try world.ledger.changes(by: 2).filter { $0.outcome == .quarantined }.map(\.path.description) == ["foo/foo-2.0.0.tgz"])
        #expect(try world.ledger.audit().findings.isEmpty)
        #expect(try world.run(next, options(.quarantine)).result == .nothingToDo)
    }

    @Test(arguments: [RemovalPolicy.quarantine, .delete])
    func `with its last version a package goes, in one piece`(policy: RemovalPolicy) throws {
        let (world, next) = try prepared()
        let report = try world.run(next, options(policy, policy))
        #expect(report.taken.map(\.description) == ["bar/bar-1.0.0.tgz", "foo/foo-2.0.0.tgz"])
        #expect(report.outcomes[policy == .delete ? "deleted" : "quarantined"] == 2)
        #expect(try world.files.status(of: world.isolated.appending("bar")) == nil)
        #expect(try keeper(world).list().map(\.entry.package.text) == (policy == .delete ? [] : ["bar", "foo"]))
        try world.expectServable()
    }

    @Test(arguments: [RemovalPolicy.quarantine, .delete])
    func `undone, the storage is again what it was, to the byte, and the same import takes it away again`(policy: RemovalPolicy) throws {
        let (world, next) = try prepared()
        let before = try visible(world)
        try world.run(next, options(policy, policy))
        let after = try visible(world)
        let plan = try world.rollback().plan(2)
        #expect(plan.returnedTarballs == 2 && plan.losses.isEmpty)
        #expect(try visible(world) == after)
        let report = try world.rollBack(2)
        #expect(report.returnedTarballs == 2)
        #expect(try visible(world) == before)
        #expect(try world.files.status(of: world.isolated.appending(".ferry-quarantine")) == nil)
        #expect(try world.run(next, options(policy, policy)).taken.count == 2)
        #expect(try visible(world) == after)
        #expect(try world.ledger.audit().findings.isEmpty)
    }

    @Test func `a rollback brings back what went, into what was published since`() throws {
        let (world, next) = try prepared()
        try world.run(next, options(.delete, .delete))
        try world.publish("foo", "3.0.0", "published since", tags: ["latest": "3.0.0"])
        try world.put("bar", ["7.0.0": "the company's own"], in: world.isolated)
        try world.rollBack(2)
        #expect(try versions(world, "foo") == ["1.0.0", "2.0.0", "3.0.0"] && versions(world, "bar") == ["1.0.0", "7.0.0"])
        #expect(
            try world.packument("foo")["dist-tags"] == ["latest": "3.0.0"] && world.packument("bar")["dist-tags"] == ["latest": "7.0.0"])
        try world.expectServable()
    }

    @Test func `what was published here, or here with other bytes, is not the origin's to take away`() throws {
        let (world, next) = try prepared()
        try world.unpublish("foo", "2.0.0")
        try world.publish("foo", "2.0.0", "the company's own", tags: ["latest": "2.0.0"])
        try world.publish("bar", "1.5.0", "published inside", tags: ["latest": "1.5.0", "corp": "1.0.0"])
        let report = try world.run(next, options(.quarantine, .quarantine))
        #expect(report.taken.map(\.description) == ["bar/bar-1.0.0.tgz"])
        #expect(report.lost == ["bar: the tag \"corp\" was put on 1.0.0 here"])
        #expect(try versions(world, "foo") == ["1.0.0", "2.0.0"] && versions(world, "bar") == ["1.5.0"])
        #expect(try world.packument("bar")["dist-tags"] == ["latest": "1.5.0"])
        try world.expectServable()
    }

    @Test func `what another origin gave as well stays`() throws {
        let (world, next) = try prepared()
        let other = try World()
        try other.put("bar", ["1.0.0": "bar one"])
        try other.snapshot()
        world.trust.add(other.key.publicKey, origin: other.origin)
        try world.run(other.bundle())
        #expect(try world.run(next, options(.delete, .delete)).taken.map(\.description) == ["foo/foo-2.0.0.tgz"])
        #expect(try versions(world, "bar") == ["1.0.0"])
    }

    @Test func `an older bundle does not bring back what a later one took away, unless it is asked to`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"], isProxied: true)
        let first = try world.snapshot().header.id
        let older = try world.bundle()
        try world.run(older)
        try world.refresh("foo", ["1.0.0": [:]], tags: ["latest": "1.0.0"])
        try world.snapshot(allowsShrinking: true)
        try world.run(world.bundle(from: first), options(.quarantine))
        #expect(try world.run(older).result == .nothingToDo)
        try world.files.removeTree(world.isolated.appending("foo/foo-1.0.0.tgz"))
        let healing = try world.run(older)
        #expect(healing.outcomes == ["healed": 1, "withdrawn": 1] && healing.refusals.count == 1)
        #expect(try versions(world, "foo") == ["1.0.0"])
        try world.rollBack(3)
        #expect(try keeper(world).list().count == 1)
        var restoring = ImportPipeline.Options.oneAtATime
        restoring.restoresRemoved = true
        try world.files.removeTree(world.isolated.appending("foo/foo-1.0.0.tgz"))
        try world.run(older, restoring)
        #expect(try versions(world, "foo") == ["1.0.0", "2.0.0"])
        try world.expectServable()
    }

    @Test func `what upstream has again comes again`() throws {
        let (world, next) = try prepared()
        try world.run(next, options(.quarantine, .delete))
        let second = try #require(try world.snapshots.headers().last?.id)
        try world.refresh("foo")
        try world.put("bar", ["1.0.0": "bar one"])
        try world.snapshot()
        let report = try world.run(world.bundle(from: second), options(.quarantine, .delete))
        #expect(report.outcomes["added"] == 2 && report.refusals.isEmpty)
        #expect(try versions(world, "foo") == ["1.0.0", "2.0.0"] && versions(world, "bar") == ["1.0.0"])
        try world.expectServable()
    }

    @Test func `what was released is local, stays, and is recorded`() throws {
        let (world, next) = try prepared()
        let foo = try #require(PackageName("foo"))
        let bar = try #require(PackageName("bar"))
        try world.run(next, options(.quarantine, .quarantine))
        #expect(throws: QuarantineKeeper.Refusal.notQuarantined("foo@9.0.0")) {
            try keeper(world).release(foo, PackageVersion("9.0.0"), operatorName: "tester")
        }
        #expect(try keeper(world).release(foo, PackageVersion("2.0.0"), operatorName: "tester").entries == [3])
        #expect(try keeper(world).release(bar, nil, operatorName: "tester").versions.map(\.text) == ["1.0.0"])
        #expect(try versions(world, "foo") == ["1.0.0", "2.0.0"] && versions(world, "bar") == ["1.0.0"])
        #expect(
            try world.packument("foo")["dist-tags"] == ["latest": "1.0.0"] && world.packument("bar")["dist-tags"] == ["latest": "1.0.0"])
        #expect(try keeper(world).list().isEmpty)
        #expect(try world.files.status(of: world.isolated.appending(".ferry-quarantine")) == nil)
        try world.expectServable()
        // The same bundle does not take them again, nor does one that says it anew.
        #expect(try world.run(next, options(.quarantine, .quarantine)).result == .nothingToDo)
        let events = try world.ledger.events(of: foo, version: PackageVersion("2.0.0")).map(\.change.outcome)
        #expect(events == [.added, .quarantined, .released])
        #expect(try world.ledger.audit().findings.isEmpty)
        // Undoing the import finds them here.
        try world.rollBack(2)
        #expect(try versions(world, "foo") == ["1.0.0", "2.0.0"] && versions(world, "bar") == ["1.0.0"])
    }

    @Test func `a damaged or occupied version is not released`() throws {
        let (world, next) = try prepared()
        let foo = try #require(PackageName("foo"))
        try world.run(next, options(.quarantine))
        let path = try #require(try keeper(world).list().first?.entry.path)
        _ = try world.files.remove(path)
        try world.files.write(Array("rotten!".utf8), to: path)
        #expect(throws: QuarantineKeeper.Refusal.damaged(path)) { try keeper(world).release(foo, nil, operatorName: "tester") }
        _ = try world.files.remove(path)
        try world.files.write(Array("foo two".utf8), to: path)
        try world.publish("foo", "2.0.0", "the company's own", tags: [:])
        let before = try world.contents()
        #expect(throws: QuarantineKeeper.Refusal.occupied("foo@2.0.0")) { try keeper(world).release(foo, nil, operatorName: "tester") }
        #expect(try world.contents() == before)
    }

    @Test(arguments: [false, true])
    func `an import that takes away is completed from each of its steps, or undone`(isUndone: Bool) throws {
        let (world, next) = try prepared()
        let before = try visible(world)
        let options = self.options(.quarantine, .delete)
        var steps = 0
        var isOver = false
        while !isOver {
            let side = try Side(of: world, number: steps)
            let place = "after step \(steps)"
            do {
                _ = try side.run(next, files: CrashingFileSystem(stepsUntilCrash: steps), options)
                isOver = true
            } catch is FileSystemError {}
            try world.expectServable(in: side.storage)
            if !isUndone {
                _ = try side.run(next, files: DiskFileSystem(), options)
                let left = try world.contents(of: side.storage)
                #expect(left["bar/package.json"] == nil && left["foo/package.json"] != nil && left["foo/foo-2.0.0.tgz"] == nil, "\(place)")
                #expect(left.keys.contains { $0.hasSuffix("/foo/foo-2.0.0.tgz") && $0.hasPrefix(".ferry-quarantine/") }, "\(place)")
                #expect(try side.ledger.takenCounts(by: 2) == ["quarantined": 1, "deleted": 1], "\(place)")
                #expect(try side.ledger.audit().findings.isEmpty)
            }
            if try side.ledger.imports().count == 2 {
                // Where it had not come to make a generation, nothing was changed.
                do { try side.rollBack() } catch is GenerationError where isUndone {}
            }
            try side.clear()
            // What is hidden and empty hinders nobody.
            let left = try world.contents(of: side.storage).filter {
                !($0.key.hasPrefix(".ferry-quarantine/") && $0.key.hasSuffix("/")) && !$0.key.hasSuffix(".package.json.lock.ferry")
            }
            #expect(left == before, "\(place): \(Set(left.keys).symmetricDifference(before.keys))")
            try DiskFileSystem().removeTree(side.root)
            steps += 1
        }
        #expect(steps > 30)
    }

    @Test func `a release that was interrupted is completed by doing it again`() throws {
        let (world, next) = try prepared()
        let before = try visible(world)
        try world.run(next, options(.quarantine, .quarantine))
        var steps = 0
        var isOver = false
        while !isOver {
            let side = try Side(of: world, number: steps)
            isOver = true
            for name in ["bar", "foo"] {
                do {
                    try side.release(name, files: CrashingFileSystem(stepsUntilCrash: steps))
                } catch is FileSystemError {
                    isOver = false
                    try side.clear()
                    do { try side.release(name, files: DiskFileSystem()) } catch QuarantineKeeper.Refusal.notQuarantined {}
                }
            }
            // What is hidden and empty hinders nobody.
            let left = try world.contents(of: side.storage).keys.filter { !($0.hasPrefix(".ferry-quarantine/") && $0.hasSuffix("/")) }
            #expect(Set(left) == Set(before.keys), "after step \(steps)")
            #expect(try side.ledger.audit().findings.isEmpty)
            try DiskFileSystem().removeTree(side.root)
            steps += 1
        }
        #expect(steps > 15)
    }
}
