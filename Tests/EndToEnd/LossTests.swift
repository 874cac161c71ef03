import BundleFormat
import CanonicalJSON
import Foundation
import ImportLedger
import ImportPipeline
import PackageStore
import Platform
import Snapshots
import SystemPackage
import Testing
import Verification

/// What was lost inside is never taken for what was removed there, and the other way round.
@Suite struct LossTests {
    private func gap(_ world: World, _ archive: FilePath, _ options: ImportPipeline.Options = .init()) throws -> [String] {
        do {
            try world.run(archive, options)
            return []
        } catch BundleRefusal.gap(let gap) {
            return gap.missing.map(\.path.description)
        }
    }

    /// Three states of the origin, and the bundles that lead from each to the next.
    private func threeBundles(_ world: World) throws -> [FilePath] {
        for name in ["foo", "bar", "baz"] { try world.put(name, ["1.0.0": "\(name) one"]) }
        let first = try world.snapshot()
        var bundles = [try world.bundle()]
        try world.put("foo", ["1.0.0": "foo one", "1.1.0": "foo two"])
        try world.put("bar", ["1.0.0": "bar one", "1.1.0": "bar two"])
        let second = try world.snapshot()
        bundles.append(try world.bundle(from: first.header.id))
        try world.put("baz", ["1.0.0": "baz one", "1.1.0": "baz two"])
        try world.snapshot()
        bundles.append(try world.bundle(from: second.header.id))
        return bundles
    }

    private func copy(_ from: FilePath, _ to: FilePath) throws {
        try FileManager.default.copyItem(atPath: from.string, toPath: to.string)
    }

    private func versions(_ world: World, _ name: String) throws -> Set<String> {
        try Set((world.packument(name)["versions"]?.object?.members ?? []).map(\.name))
    }

    @Test func `a wiped storage is a gap, and its own bundles fill it again`() throws {
        let world = try World()
        let bundles = try threeBundles(world)
        try world.run(bundles[0])
        try world.run(bundles[1])
        try world.files.removeTree(world.isolated)
        try world.files.createDirectories(world.isolated)
        #expect(try gap(world, bundles[2]).count == 7)
        #expect(try world.contents().isEmpty)
        for bundle in bundles { try world.run(bundle) }
        #expect(try versions(world, "foo") == ["1.0.0", "1.1.0"] && versions(world, "baz") == ["1.0.0", "1.1.0"])
        try world.expectServable()
    }

    @Test func `a restored backup is a gap, and applying again brings back tags and deprecations as well`() throws {
        let world = try World()
        let bundles = try threeBundles(world)
        try world.run(bundles[0])
        try copy(world.isolated, world.root.appending("backup"))
        try world.run(bundles[1])
        try world.files.removeTree(world.isolated)
        try copy(world.root.appending("backup"), world.isolated)
        #expect(try gap(world, bundles[2]) == ["bar/bar-1.1.0.tgz", "bar/package.json", "foo/foo-1.1.0.tgz", "foo/package.json"])
        #expect(try world.run(bundles[1]).result == .applied)
        #expect(try world.packument("foo")["dist-tags"] == ["latest": "1.1.0"])
        #expect(try world.run(bundles[2]).result == .applied)
        try world.expectServable()
    }

    @Test func `a restored packument is given its tags again, also where nothing else is missing`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one", "1.1.0": "foo two"])
        let first = try world.snapshot()
        try world.run(world.bundle())
        let packument = world.isolated.appending("foo/package.json")
        let backup = try #require(try world.files.contents(of: packument, limit: 1 << 20))
        try world.put("foo", ["1.0.0": "foo one", "1.1.0": "foo two"], tags: ["latest": "1.0.0"])
        try world.snapshot()
        let withdrawal = try world.bundle(from: first.header.id)
        try world.run(withdrawal)
        #expect(try world.run(withdrawal).result == .nothingToDo)
        try world.files.replace(packument, with: backup)
        #expect(try world.run(withdrawal).result == .applied)
        #expect(try world.packument("foo")["dist-tags"] == ["latest": "1.0.0"])
    }

    @Test func `an import that did not end is a gap for the next bundle, which names it`() throws {
        let world = try World()
        let bundles = try threeBundles(world)
        try world.run(bundles[0])
        let faulty = CrashingFileSystem(stepsUntilCrash: 8)
        let pipeline = ImportPipeline(
            layout: StorageLayout(root: world.isolated), state: world.root.appending("offline-state"), ledger: world.ledger,
            trust: world.trust, destination: world.destination, options: .oneAtATime, files: faulty)
        #expect(throws: FileSystemError.self) {
            try pipeline.run(ArchiveSource(volumes: [bundles[1]]), operatorName: "tester", sourceName: "test")
        }
        let open = try #require(try world.ledger.openImport())
        #expect {
            try world.pipeline().recover()
            try world.run(bundles[2])
        } throws: { error in
            guard case .gap(let gap)? = error as? BundleRefusal else { return false }
            return gap.unfinished == open.bundle
        }
        try world.run(bundles[1])
        try world.run(bundles[2])
        #expect(try versions(world, "bar") == ["1.0.0", "1.1.0"])
        #expect(try world.ledger.openImport() == nil)
    }

    @Test func `a version removed here stays removed, in increments, in full and older bundles, until it is asked for`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one", "1.1.0": "foo two"])
        try world.snapshot()
        try world.run(world.bundle())
        let older = try world.bundle()
        try world.unpublish("foo", "1.0.0")

        let middle = try world.snapshot()
        try world.put("bar", ["1.0.0": "bar one"])
        try world.snapshot()
        #expect(try gap(world, world.bundle(from: middle.header.id)) == [])
        try world.put("foo", ["1.0.0": "foo one", "1.1.0": "foo two", "1.2.0": "foo three"])
        try world.snapshot()
        let report = try world.run(world.bundle())
        #expect(report.outcomes["removed"] == 1 && report.refusals.count == 1)
        try world.run(older)
        #expect(try versions(world, "foo") == ["1.1.0", "1.2.0"])
        try world.expectServable()

        var options = ImportPipeline.Options()
        options.restoresRemoved = true
        try world.run(world.bundle(), options)
        #expect(try versions(world, "foo") == ["1.0.0", "1.1.0", "1.2.0"])
        try world.expectServable()
    }

    @Test func `a whole package that is gone is a gap, unless the operator says that it was removed`() throws {
        let world = try World()
        let bundles = try threeBundles(world)
        try world.run(bundles[0])
        try world.run(bundles[1])
        try world.files.removeTree(world.isolated.appending("bar"))
        #expect(try gap(world, bundles[2]) == ["bar/bar-1.0.0.tgz", "bar/bar-1.1.0.tgz", "bar/package.json"])
        var options = ImportPipeline.Options()
        options.acceptsRemovals = true
        #expect(try world.run(bundles[2], options).result == .applied)
        try world.snapshot()
        try world.put("more", ["1.0.0": "more"])
        let before = try #require(world.snapshots.headers().last)
        try world.snapshot()
        #expect(try gap(world, world.bundle(from: before.id)) == [])
        #expect(try world.files.status(of: world.isolated.appending("bar")) == nil)
    }

    @Test(arguments: ["packument emptied", "packument gone", "tarball emptied", "tarball gone"])
    func `what was imported and is not sound any more is never called here`(damage: String) throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        let first = try world.snapshot()
        let full = try world.bundle()
        try world.put("bar", ["1.0.0": "bar one"])
        try world.snapshot()
        let increment = try world.bundle(from: first.header.id)
        try world.run(full)
        let file = world.isolated.appending(damage.hasPrefix("packument") ? "foo/package.json" : "foo/foo-1.0.0.tgz")
        if damage.hasSuffix("gone") { try world.files.removeTree(file) } else { try world.files.write([], to: file) }
        #expect(try gap(world, increment).count == 1)
        let again = try world.run(full)
        #expect(again.result == .applied)
        if damage == "packument emptied" {
            #expect(again.refusals.count == 1 && again.refusals[0].contains("repair or remove"))
            try world.files.removeTree(file)
            #expect(try world.run(full).result == .applied)
        }
        #expect(try versions(world, "foo") == ["1.0.0"])
        try world.expectServable()
        #expect(try world.run(full).result == .nothingToDo)
        #expect(try gap(world, increment) == [])
    }

    @Test func `what was refused is offered again, and named`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one", "1.1.0": "foo two"])
        try world.put("utils", ["9.0.0": "a public namesake"])
        try world.put("foo", ["1.0.0": "foo one", "1.1.0": "published inside"], in: world.isolated)
        try world.put("utils", ["1.0.0": "the company's own"], in: world.isolated)
        try world.snapshot()
        let bundle = try world.bundle()
        for _ in 0..<2 {
            let report = try world.run(bundle)
            #expect(report.result == .applied)
            #expect(report.refusals.map { $0.prefix { $0 != ":" } } == ["foo@1.1.0", "utils@9.0.0"])
        }
        var options = ImportPipeline.Options()
        options.adoptsLocalPackages = true
        #expect(try world.run(bundle, options).outcomes == ["added": 1, "conflict": 1, "held": 1])
        try world.expectServable()
    }

    @Test func `a tag never comes to stand on a local version of the number it had outside`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        try world.snapshot()
        try world.run(world.bundle())
        try world.put(
            "foo", ["1.0.0": "foo one", "1.0.1": "published inside"], tags: ["latest": "1.0.0", "corp": "1.0.1"], in: world.isolated)
        try world.put("foo", ["1.0.0": "foo one", "1.0.1": "foo outside"])
        try world.snapshot()
        try world.run(world.bundle())
        #expect(try world.packument("foo")["dist-tags"] == ["latest": "1.0.0", "corp": "1.0.1"])
        try world.put("foo", ["1.0.0": "foo one", "1.0.1": "foo outside", "1.0.2": "foo later"])
        try world.snapshot()
        try world.run(world.bundle())
        #expect(try world.packument("foo")["dist-tags"] == ["latest": "1.0.2", "corp": "1.0.1"])
    }

    @Test func `an import whose stage is taken away fails and does not pass for one`() throws {
        let world = try World()
        let bundles = try threeBundles(world)
        for bundle in bundles { try world.run(bundle) }
        for name in ["bar", "baz", "foo"] { try world.put(name, ["1.0.0": "\(name) one", "1.2.0": "\(name) later"]) }
        try world.snapshot(allowsShrinking: true)
        let later = try world.bundle()
        let isolated = world.isolated
        // When the first package is done, the second may be under way, and the third has not been begun.
        let pipeline = ImportPipeline(
            layout: StorageLayout(root: isolated), state: world.root.appending("offline-state"), ledger: world.ledger,
            trust: world.trust, destination: world.destination, options: .oneAtATime,
            progress: { stage, done, _ in
                guard stage == "applying", done == 1 else { return }
                for name in (try? DiskFileSystem().names(in: isolated)) ?? [] where name.hasPrefix(".ferry-stage-") {
                    try? DiskFileSystem().removeTree(isolated.appending(name).appending("foo/foo-1.2.0.tgz"))
                }
            })
        #expect(throws: (any Error).self) {
            try pipeline.run(ArchiveSource(volumes: [later]), operatorName: "tester", sourceName: "test")
        }
        // What the first try had brought is counted as brought.
        #expect(try world.run(later).outcomes["added"] == 3)
        #expect(try versions(world, "foo") == ["1.0.0", "1.1.0", "1.2.0"])
    }
}
