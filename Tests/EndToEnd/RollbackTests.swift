import Activation
import Backups
import BundleFormat
import CanonicalJSON
import ImportLedger
import ImportPipeline
import PackageStore
import Platform
import Rollbacks
import Snapshots
import Synchronization
import SystemPackage
import Testing
import Verification

/// An import is undone: what it brought goes, what others did stays, and its bundle can be imported again.
@Suite struct RollbackTests {
    private func versions(_ world: World, _ name: String) throws -> Set<String> {
        try Set((world.packument(name)["versions"]?.object?.members ?? []).map(\.name))
    }

    /// A destination that an import was made into, and the bundle of the next one.
    private func prepared() throws -> (World, next: FilePath) {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        try world.put("utils", ["9.0.0": "a public namesake"])
        try world.put("utils", ["1.0.0": "the company's own"], in: world.isolated)
        let first = try world.snapshot()
        try world.run(world.bundle())
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"])
        try world.put("@scope/new", ["1.0.0": "scoped"])
        try world.snapshot()
        return (world, try world.bundle(from: first.header.id))
    }

    @Test func `the storage is again, to the byte, what it was, and the same bundle is imported again`() throws {
        let (world, next) = try prepared()
        let before = try world.contents()
        try world.run(next)
        let after = try world.contents()
        let plan = try world.rollback().plan(2)
        #expect(plan.removedTarballs == 2 && plan.gonePackages == 1 && plan.losses.isEmpty)
        #expect(try world.contents() == after)
        let report = try world.rollBack(2)
        #expect(report.packages.map(\.package.text) == ["@scope/new", "foo"])
        #expect(try world.contents().filter { $0.key != "@scope/" } == before)
        try world.expectServable()

        let again = try world.run(next)
        #expect(again.result == .applied && again.outcomes["added"] == 2)
        #expect(try world.contents() == after)
        #expect(try world.run(next).result == .nothingToDo)
        #expect(throws: RollbackRefusal.self) { try world.rollBack(2) }
        try world.rollBack(4)
        #expect(try world.contents().filter { $0.key != "@scope/" } == before)
        #expect(try world.ledger.imports().map(\.kind) == [.rollback, .import, .rollback, .import, .import])
    }

    @Test func `what was published and tagged since stays`() throws {
        let (world, next) = try prepared()
        try world.run(next)
        try world.publish("foo", "2.5.0", "published since", tags: ["latest": "2.5.0", "stable": "1.0.0"])
        try world.rollBack(2)
        #expect(try versions(world, "foo") == ["1.0.0", "2.5.0"])
        #expect(try world.packument("foo")["dist-tags"] == ["latest": "2.5.0", "stable": "1.0.0"])
        #expect(try world.files.status(of: world.isolated.appending("foo/foo-2.0.0.tgz")) == nil)
        try world.expectServable()
        let again = try world.run(next)
        #expect(again.outcomes["added"] == 2)
        #expect(try versions(world, "foo") == ["1.0.0", "2.0.0", "2.5.0"])
        #expect(try world.packument("foo")["dist-tags"] == ["latest": "2.5.0", "stable": "1.0.0"])
    }

    @Test func `a publish into a package that the import brought keeps the package`() throws {
        let (world, next) = try prepared()
        try world.run(next)
        try world.publish("@scope/new", "1.1.0", "published since", tags: ["latest": "1.1.0"])
        try world.rollBack(2)
        #expect(try versions(world, "@scope/new") == ["1.1.0"])
        #expect(try world.packument("@scope/new")["dist-tags"] == ["latest": "1.1.0"])
        try world.expectServable()
        // It was published into the origin's package, so that one is brought again.
        #expect(try world.run(next).refusals == [])
        #expect(try versions(world, "@scope/new") == ["1.0.0", "1.1.0"])
    }

    @Test func `what is published under the name of a package that went is not mixed with it when it comes again`() throws {
        let (world, next) = try prepared()
        try world.run(next)
        try world.rollBack(2)
        try world.put("@scope/new", ["1.1.0": "the company's own now"], in: world.isolated)
        #expect(try world.run(next).refusals.map { $0.prefix { $0 != ":" } } == ["@scope/new@1.0.0"])
        #expect(try versions(world, "@scope/new") == ["1.1.0"])
    }

    @Test func `a mixture that was undone is not made again without being asked for`() throws {
        let (world, _) = try prepared()
        let bundle = try world.bundle()
        var options = ImportPipeline.Options()
        options.adoptsLocalPackages = true
        try world.run(bundle, options)
        #expect(try versions(world, "utils") == ["1.0.0", "9.0.0"])
        try world.rollBack(2)
        #expect(try versions(world, "utils") == ["1.0.0"])
        #expect(try world.run(bundle).refusals.map { $0.prefix { $0 != ":" } } == ["utils@9.0.0"])
        #expect(try versions(world, "utils") == ["1.0.0"])
    }

    @Test func `files that the import did not bring are put aside when the package goes`() throws {
        let (world, next) = try prepared()
        try world.run(next)
        try world.files.write(Array("a stranger's".utf8), to: world.isolated.appending("@scope/new/new-7.0.0.tgz"))
        let result = try #require(try world.rollBack(2).packages.first)
        let aside = try #require(result.aside)
        #expect(try world.files.contents(of: FilePath(aside).appending("new-7.0.0.tgz"), limit: 100) == Array("a stranger's".utf8))
        #expect(try world.files.status(of: world.isolated.appending("@scope/new")) == nil)
    }

    @Test func `a tag that was put on what goes, or its deprecation, is a loss that must be accepted`() throws {
        let (world, next) = try prepared()
        try world.run(next)
        var document = try world.packument("foo")
        document["dist-tags"] = ["latest": "2.0.0", "corp": "2.0.0"]
        var versions = try #require(document["versions"]?.object)
        var entry = try #require(versions["2.0.0"]?.object)
        entry["deprecated"] = "not good enough"
        versions["2.0.0"] = .object(entry)
        document["versions"] = .object(versions)
        try world.files.replace(world.isolated.appending("foo/package.json"), with: JSONValue.object(document).canonicalBytes)
        let before = try world.contents()
        #expect { try world.rollBack(2) } throws: { error in
            guard case .losses(let losses)? = error as? RollbackRefusal else { return false }
            return losses.count == 2 && losses[0].contains("\"corp\"") && losses[1].contains("deprecated")
        }
        #expect(try world.contents() == before)
        #expect(try world.ledger.openRollback() == nil)
        try world.rollBack(2, acceptsLosses: true)
        #expect(try world.packument("foo")["dist-tags"] == ["latest": "1.0.0"])
        try world.expectServable()
    }

    @Test func `an older import is undone under a newer one, whose own stays, and the gap is known`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        let first = try world.snapshot()
        try world.run(world.bundle())
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"])
        let second = try world.snapshot()
        let middle = try world.bundle(from: first.header.id)
        try world.run(middle)
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two", "3.0.0": "foo three"])
        let third = try world.snapshot()
        try world.run(world.bundle(from: second.header.id))
        #expect(throws: RollbackRefusal.self) { try world.rollBack(2) }
        #expect(try world.rollback().plan(2).losses.count == 1)
        try world.rollBack(2, acceptsLosses: true)
        #expect(try versions(world, "foo") == ["1.0.0", "3.0.0"])
        #expect(try world.packument("foo")["dist-tags"] == ["latest": "3.0.0"])
        try world.expectServable()

        try world.put("bar", ["1.0.0": "bar"])
        try world.snapshot()
        let increment = try world.bundle(from: third.header.id)
        #expect { try world.run(increment) } throws: { error in
            guard case .gap(let gap)? = error as? BundleRefusal else { return false }
            return gap.missing.map(\.path.description) == ["foo/foo-2.0.0.tgz", "foo/package.json"]
        }
        try world.run(middle)
        try world.run(increment)
        #expect(try versions(world, "foo") == ["1.0.0", "2.0.0", "3.0.0"])
        try world.expectServable()
    }

    @Test func `what a later import carried as well stays, and goes with that one`() throws {
        let (world, next) = try prepared()
        let before = try world.contents()
        try world.run(next)
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two", "3.0.0": "foo three"])
        try world.snapshot()
        try world.run(world.bundle())
        let report = try world.rollBack(2, acceptsLosses: true)
        #expect(report.staying.map(\.description) == ["@scope/new/new-1.0.0.tgz", "foo/foo-2.0.0.tgz"])
        #expect(try versions(world, "foo") == ["1.0.0", "2.0.0", "3.0.0"])
        try world.rollBack(3)
        #expect(try versions(world, "foo") == ["1.0.0"])
        #expect(try world.contents().keys.filter { $0 != "@scope/" }.sorted() == before.keys.sorted())
        #expect(try world.packument("foo")["dist-tags"] == ["latest": "1.0.0"])
        #expect(try world.run(next).outcomes["added"] == 2)
    }

    @Test func `two imports undone in their order, newest first, leave the storage as it was`() throws {
        let (world, next) = try prepared()
        let before = try world.contents()
        try world.run(next)
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two", "3.0.0": "foo three"], tags: ["latest": "2.0.0", "next": "3.0.0"])
        try world.snapshot()
        try world.run(world.bundle())
        try world.rollBack(3)
        try world.rollBack(2)
        #expect(try world.contents().filter { $0.key != "@scope/" } == before)
        #expect(try world.run(next).result == .applied)
    }

    @Test func `what was healed stays healed, what was refused is offered again`() throws {
        let (world, next) = try prepared()
        try world.files.write(Array("rotten!".utf8), to: world.isolated.appending("foo/foo-1.0.0.tgz"))
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two", "3.0.0": "foo three"])
        try world.snapshot()
        try world.run(world.bundle())
        try world.rollBack(2)
        #expect(try world.files.contents(of: world.isolated.appending("foo/foo-1.0.0.tgz"), limit: 100) == Array("foo one".utf8))
        #expect(try versions(world, "foo") == ["1.0.0"])
        #expect(try world.run(next).outcomes["added"] == 2)
        try world.expectServable()
    }

    @Test func `a version removed here since goes without a word, and the bundle brings it again`() throws {
        let (world, next) = try prepared()
        try world.run(next)
        try world.unpublish("foo", "2.0.0")
        try world.rollBack(2)
        #expect(try versions(world, "foo") == ["1.0.0"])
        #expect(try world.run(next).outcomes["added"] == 2)
    }

    @Test func `a damaged generation undoes nothing`() throws {
        let (world, next) = try prepared()
        try world.run(next)
        let kept = try #require(try world.backups().keys.first { $0.hasSuffix("before.json") })
        let path = world.isolated.appending(".ferry-backups").appending(kept)
        let bytes = try #require(try world.files.contents(of: path, limit: 1 << 20))
        try world.files.replace(path, with: bytes + [0x20])
        let before = try world.contents()
        #expect(throws: (any Error).self) { try world.rollBack(2) }
        #expect(try world.contents() == before)
        #expect(try world.ledger.openRollback() == nil)
    }

    @Test func `a package under whose lock too much time has passed is left as it is, and goes when that is tried again`() throws {
        let (world, next) = try prepared()
        try world.run(next)
        let before = try world.contents()
        // A minute passes between any two looks at the clock: Verdaccio may take the lock for abandoned.
        let minutes = Mutex<Int64>(0)
        let slow = PackageLock.Patience(
            attempts: 2, pause: {},
            elapsed: {
                minutes.withLock { minutes in
                    minutes += 1
                    return minutes * 61_000_000_000
                }
            })
        let rollback = Rollback(
            layout: StorageLayout(root: world.isolated), state: world.root.appending("offline-state"), ledger: world.ledger, patience: slow)
        #expect(throws: PackageLock.Busy.self) { try rollback.run(2, operatorName: "tester", acceptsLosses: true) }
        #expect(try world.contents() == before)
        try world.rollBack(2)
        #expect(try world.files.status(of: world.isolated.appending("@scope/new")) == nil)
    }

    @Test func `an import that did not end is undone, from each of its steps`() throws {
        let (world, next) = try prepared()
        let before = try world.contents()
        var steps = 0
        var isOver = false
        while !isOver {
            let pipeline = ImportPipeline(
                layout: StorageLayout(root: world.isolated), state: world.root.appending("offline-state"), ledger: world.ledger,
                trust: world.trust, destination: world.destination, options: .oneAtATime,
                files: CrashingFileSystem(stepsUntilCrash: steps), patience: PackageLock.Patience(attempts: 2, pause: {}))
            do {
                _ = try pipeline.run(ArchiveSource(volumes: [next]), operatorName: "tester", sourceName: "test")
                isOver = true
            } catch is FileSystemError {}
            try world.pipeline().recover()
            if let record = try world.ledger.imports().first, record.kind == .import, record.id > 1 {
                do {
                    try world.rollBack(record.id)
                    #expect(try world.ledger.entry(record.id)?.state == .rolledBack)
                } catch is GenerationError {
                    // It had not come to make one: nothing was changed.
                    try world.run(next)
                    try world.rollBack(record.id)
                }
            }
            let left = try world.contents().filter { $0.key != "@scope/" }
            #expect(left == before, "after step \(steps): \(left.keys.filter { left[$0] != before[$0] })")
            try world.expectServable()
            steps += 1
        }
        #expect(steps > 25)
        #expect(try world.run(next).outcomes["added"] == 2)
    }

    @Test func `a rollback that was interrupted is completed by running it again`() throws {
        var steps = 0
        var isOver = false
        while !isOver {
            // Anew for each step: what a try that was cut off has done would keep the next one from those steps.
            let (world, next) = try prepared()
            let before = try world.contents()
            try world.run(next)
            let rollback = Rollback(
                layout: StorageLayout(root: world.isolated), state: world.root.appending("offline-state"), ledger: world.ledger,
                files: CrashingFileSystem(stepsUntilCrash: steps), patience: PackageLock.Patience(attempts: 2, pause: {}))
            do {
                _ = try rollback.run(2, operatorName: "tester", acceptsLosses: false)
                isOver = true
            } catch is FileSystemError {
                try world.expectServable()
                try world.pipeline().recover()
                try world.rollBack(2)
            }
            #expect(try world.contents().filter { $0.key != "@scope/" } == before, "after step \(steps)")
            if steps % 8 == 0 || isOver { #expect(try world.run(next).outcomes["added"] == 2, "after step \(steps)") }
            steps += 1
        }
        #expect(steps > 20)
    }
}
