import BundleFormat
import CanonicalJSON
import ImportLedger
import ImportPipeline
import Integrity
import MediaLayout
import PackageStore
import Platform
import Snapshots
import SystemPackage
import Testing
import Verification

@Suite struct EndToEndTests {
    @Test func `a full bundle brings everything, an incremental one only what changed`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"], knownOnly: ["2.0.0"])
        try world.put("@scope/bar", ["1.0.0": "bar one"])
        let first = try world.snapshot()
        #expect(first.header.counts.files == 4 && first.hashedFiles == 2)
        try world.run(world.bundle())
        #expect(try world.packument("foo")["dist-tags"] == ["latest": "1.0.0"])
        try world.expectServable()

        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"])
        let second = try world.snapshot()
        #expect(second.isNew && second.hashedFiles <= 2)
        let archive = try world.bundle(from: first.header.id)
        let descriptor = try BundleTail(of: ArchiveSource(volumes: [archive])).descriptor
        #expect(descriptor.counts.files == 2 && descriptor.counts.packages == 1)
        let report = try world.run(archive)
        #expect(report.outcomes == ["added": 1, "held": 1])
        #expect(try world.packument("foo")["dist-tags"] == ["latest": "2.0.0"])
        try world.expectServable()
        #expect(try world.run(archive).result == .nothingToDo)
        #expect(try world.ledger.imports().count == 2)
    }

    @Test func `large and small files come in as they are`() throws {
        let world = try World()
        let large = (0..<300_000).map { "line \($0)\n" }.joined()
        for name in ["first", "last"] { try world.put(name, ["1.0.0": large + name, "1.1.0": "\(name) small", "1.2.0": name + large]) }
        try world.snapshot()
        try world.run(world.bundle())
        for path in ["first/first-1.0.0.tgz", "first/first-1.1.0.tgz", "last/last-1.2.0.tgz"] {
            let came = try #require(try world.files.contents(of: world.isolated.appending(path), limit: 1 << 24))
            #expect(try world.files.contents(of: world.online.appending(path), limit: 1 << 24) == came, "\(path)")
        }
        try world.expectServable()
    }

    @Test func `an unchanged storage is not read again and makes no new snapshot`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        let first = try world.snapshot()
        _ = try world.snapshot()
        let again = try world.snapshot()
        #expect(!again.isNew && again.header.id == first.header.id && again.hashedFiles == 0)
        // Verdaccio rewrites a packument on every poll; what does not travel changes nothing.
        try world.put("foo", ["1.0.0": "foo one"], knownOnly: ["3.0.0"])
        #expect(try !world.snapshot().isNew)
    }

    @Test func `the same snapshots give the same bytes before the tail`() throws {
        let world = try World()
        for number in 0..<20 { try world.put("p\(number)", ["1.0.0": String(repeating: "x\(number)", count: 1000)]) }
        try world.snapshot()
        let archives = try [world.bundle(), world.bundle()].map { try ArchiveSource(volumes: [$0]) }
        let covered = try archives.map { try BundleTail(of: $0).descriptor.coveredLength }
        #expect(covered[0] == covered[1])
        #expect(try archives[0].read(Int(covered[0]), at: 0) == archives[1].read(Int(covered[1]), at: 0))
    }

    @Test func `damage is never packed`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one", "1.1.0": "foo two"])
        try world.files.write(Array("flipped".utf8), to: world.online.appending("foo/foo-1.1.0.tgz"))
        try world.files.write([], to: world.online.appending("foo/foo-9.0.0.tgz"))
        try world.files.createDirectories(world.online.appending("half"))
        try world.files.write(Array("{\"name\":\"half\",".utf8), to: world.online.appending("half/package.json"))
        try world.files.createDirectories(world.online.appending("void"))
        try world.files.write([], to: world.online.appending("stray.txt"))
        try world.files.write([], to: world.online.appending("foo/foo-1.2.0.tgz.tmp-123"))
        let report = try world.snapshot()
        #expect(report.header.counts.files == 2)
        #expect(
            Set(report.findings.map(\.code)) == [
                .tarballMismatch, .tarballUndeclared, .packumentInvalid, .emptyDirectory, .strayEntry, .leftover,
            ])
    }

    @Test func `a file that changed since the snapshot fails the bundle by name`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        try world.snapshot()
        try world.files.write(Array("fOO one".utf8), to: world.online.appending("foo/foo-1.0.0.tgz"))
        #expect { try world.bundle() } throws: { error in
            (error as? BundleError)?.code == .sourceChanged && "\(error)".contains("foo/foo-1.0.0.tgz")
        }
        #expect(try world.files.names(in: world.root.appending("state/artifacts")) == [])
    }

    @Test func `an unmounted storage makes no snapshot`() throws {
        let world = try World()
        for name in ["a", "b", "c"] { try world.put(name, ["1.0.0": name]) }
        try world.snapshot()
        try world.files.removeTree(world.online.appending("a"))
        #expect(throws: SnapshotBuilder.Shrunk.self) { try world.snapshot() }
        #expect(try world.snapshot(allowsShrinking: true).isNew)
    }

    @Test func `what was published inside survives an import`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        try world.put("utils", ["9.0.0": "a public namesake"])
        let first = try world.snapshot()
        try world.put("utils", ["1.0.0": "the company's own"], in: world.isolated)
        let report = try world.run(world.bundle())
        #expect(report.outcomes["owned-locally"] == 1 && report.refusals.count == 1)
        #expect(try world.packument("utils")["dist-tags"] == ["latest": "1.0.0"])
        #expect(try world.files.status(of: world.isolated.appending("utils/utils-9.0.0.tgz")) == nil)

        try world.put("foo", ["1.0.0": "foo one", "1.5.0": "published inside"], in: world.isolated)
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"])
        try world.snapshot()
        try world.run(world.bundle(from: first.header.id))
        #expect(try world.packument("foo")["dist-tags"] == ["latest": "1.5.0"])
        #expect(try Set((world.packument("foo")["versions"]?.object?.members ?? []).map(\.name)) == ["1.0.0", "1.5.0", "2.0.0"])
        try world.expectServable()
    }

    @Test func `a gap is refused with the names of what is missing, and changes nothing`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        let first = try world.snapshot()
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"])
        try world.snapshot()
        let archive = try world.bundle(from: first.header.id)
        let before = try world.contents()
        #expect { try world.run(archive) } throws: { error in
            guard case .gap(let gap)? = error as? BundleRefusal else { return false }
            return gap.missing.map(\.path.description) == ["foo/foo-1.0.0.tgz"] && gap.count == 1 && gap.unfinished == nil
        }
        #expect(try world.contents() == before)
    }

    @Test func `an older bundle only adds what is absent`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"], tags: ["latest": "1.0.0", "old": "1.0.0"])
        try world.put("gone", ["1.0.0": "gone"])
        try world.snapshot()
        let older = try world.bundle()
        try world.put("foo", ["2.0.0": "foo two"], tags: ["latest": "2.0.0"])
        try world.files.removeTree(world.online.appending("gone"))
        try world.files.removeTree(world.online.appending("foo"))
        try world.put("foo", ["2.0.0": "foo two"], tags: ["latest": "2.0.0"])
        try world.snapshot(allowsShrinking: true)
        try world.run(world.bundle())
        try world.run(older)
        #expect(try world.packument("foo")["dist-tags"] == ["latest": "2.0.0"])
        #expect(try Set((world.packument("foo")["versions"]?.object?.members ?? []).map(\.name)) == ["1.0.0", "2.0.0"])
        try world.expectServable()
    }

    @Test func `bit rot is healed by importing again, and the damaged bytes are kept`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        try world.snapshot()
        try world.run(world.bundle())
        let tarball = world.isolated.appending("foo/foo-1.0.0.tgz")
        try world.files.write(Array("rotten!".utf8), to: tarball)
        #expect(try world.run(world.bundle()).outcomes == ["healed": 1])
        #expect(try world.files.contents(of: tarball, limit: 100) == Array("foo one".utf8))
        #expect(try world.backups().first { $0.key.hasSuffix("/files/foo/foo-1.0.0.tgz") }?.value == Array("rotten!".utf8))
    }

    @Test func `packages with a storage of their own travel by their names`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        try world.put("@corp/a", ["1.0.0": "corp"], in: world.online.appending("corpstore"))
        #expect(try world.snapshot().header.counts.packages == 2)
        let archive = try world.bundle()
        let elsewhere = StorageLayout(root: world.isolated) { $0.scope == "@corp" ? "private/npm" : nil }
        // A killed import left a stage on that storage.
        try world.files.createDirectories(world.isolated.appending("private/npm/.ferry-stage-b-0/@corp/a"))
        let pipeline = ImportPipeline(
            layout: elsewhere, state: world.root.appending("offline-state"), ledger: world.ledger, trust: world.trust,
            destination: world.destination, options: ImportPipeline.Options())
        let report = try pipeline.run(ArchiveSource(volumes: [archive]), operatorName: "tester", sourceName: "test")
        #expect(report.outcomes == ["added": 2])
        let tarball = world.isolated.appending("private/npm/@corp/a/a-1.0.0.tgz")
        #expect(try world.files.contents(of: tarball, limit: 100) == Array("corp".utf8))
        #expect(try world.files.names(in: world.isolated.appending("private/npm")) == [".ferry-backups", "@corp"])
        #expect(try world.files.names(in: world.isolated) == [".ferry-backups", "foo", "private"])
    }

    @Test(arguments: [[], ["lodash"], ["123"]])
    func `names that differ in case only are refused where they would be one, and only there`(present: [String]) throws {
        let world = try World()
        for name in ["JSONStream", "jsonstream"] { try world.put(name, ["1.0.0": name]) }
        try world.snapshot()
        let archive = try ArchiveSource(volumes: [world.bundle()])
        for name in present { try world.put(name, ["1.0.0": name], in: world.isolated) }
        let before = try world.contents()
        let folding = ImportPipeline(
            layout: StorageLayout(root: world.isolated), state: world.root.appending("offline-state"), ledger: world.ledger,
            trust: world.trust, destination: world.destination, options: ImportPipeline.Options(), files: FoldingFileSystem())
        #expect { try folding.run(archive, operatorName: "tester", sourceName: "test") } throws: { error in
            guard case .foldedNames(let first, let second)? = error as? BundleRefusal else { return false }
            return first == "JSONStream" && second == "jsonstream"
        }
        #expect(try world.contents() == before)
        #expect(try world.pipeline().run(archive, operatorName: "tester", sourceName: "test").outcomes == ["added": 2])
        try world.expectServable()
    }

    @Test func `trust decides, and fails closed`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        try world.snapshot()
        let signed = try ArchiveSource(volumes: [world.bundle()])
        let foreign = try ArchiveSource(volumes: [world.bundle(keys: [MinisignSecretKey.generate()])])
        let unsigned = try ArchiveSource(volumes: [world.bundle(keys: [])])
        let elsewhere = try ArchiveSource(
            volumes: [world.bundle(destination: .only(Identifier(.destination, random: randomBytes(20))))])
        func refusal(_ source: ArchiveSource, trust: TrustStore?) throws -> BundleRefusal? {
            do {
                _ = try world.pipeline(trust: .some(trust)).run(source, operatorName: "tester", sourceName: "test")
                return nil
            } catch let error as BundleRefusal {
                return error
            }
        }
        let trust = world.trust
        guard case .noTrustStore? = try refusal(signed, trust: nil) else {
            Issue.record("no trust store")
            return
        }
        guard case .notTrusted? = try refusal(signed, trust: TrustStore()) else {
            Issue.record("empty store")
            return
        }
        guard case .notTrusted? = try refusal(foreign, trust: trust) else {
            Issue.record("foreign key")
            return
        }
        guard case .unsigned? = try refusal(unsigned, trust: trust) else {
            Issue.record("unsigned")
            return
        }
        guard case .foreignDestination? = try refusal(elsewhere, trust: trust) else {
            Issue.record("elsewhere")
            return
        }
        var retired = trust
        let isRetired = retired.retire(world.key.publicKey.keyID.description)
        #expect(isRetired)
        guard case .notTrusted? = try refusal(signed, trust: retired) else {
            Issue.record("retired")
            return
        }
        #expect(try world.contents().isEmpty)

        _ = try refusal(signed, trust: trust)
        var options = ImportPipeline.Options()
        options.allowsUnsigned = true
        #expect { try world.pipeline(options).run(unsigned, operatorName: "tester", sourceName: "test") } throws: { error in
            if case .unsignedAfterSigned? = error as? BundleRefusal { true } else { false }
        }
    }

    @Test func `volumes on a medium are the archive, and an export is repeatable`() throws {
        let world = try World()
        for number in 0..<9 {
            // Hexadecimal noise that differs from file to file, so that nothing of it is found again.
            let noise = (0..<16384).map { SHA512.digest(of: Array("\(number) \($0)".utf8)).hex }.joined()
            try world.put("p\(number)", ["1.0.0": noise])
        }
        try world.snapshot()
        let archive = try ArchiveSource(volumes: [world.bundle()])
        let writer = MediumWriter(medium: world.medium)
        let entry = try writer.export(archive, volumeSize: 4 << 20)
        #expect(entry.volumes.count > 1)
        #expect(try writer.export(archive, volumeSize: 4 << 20) == entry)
        let joined = try world.medium.archive(of: #require(world.medium.entries()?.first))
        #expect(joined.length == archive.length)
        #expect(try world.pipeline().run(joined, operatorName: "tester", sourceName: "medium").outcomes == ["added": 9])
        try world.expectServable()
        #expect(throws: MediumWriter.Refusal.badVolumeSize(5)) { try writer.export(archive, volumeSize: 5) }
    }

    @Test func `an import that was interrupted is completed by running it again`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        let first = try world.snapshot()
        try world.run(world.bundle())
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"])
        try world.put("new", ["1.0.0": "new"])
        try world.snapshot()
        let archive = try world.bundle(from: first.header.id)
        // Stop before each change of the storage in turn, as kill -9 would.
        var steps = 0
        while true {
            steps += 1
            let faulty = CrashingFileSystem(stepsUntilCrash: steps)
            let pipeline = ImportPipeline(
                layout: StorageLayout(root: world.isolated), state: world.root.appending("offline-state"), ledger: world.ledger,
                trust: world.trust, destination: world.destination, options: .oneAtATime, files: faulty,
                patience: PackageLock.Patience(attempts: 2, pause: {}))
            do {
                try pipeline.recover()
                let report = try pipeline.run(ArchiveSource(volumes: [archive]), operatorName: "tester", sourceName: "test")
                #expect(report.result == .applied)
                break
            } catch is FileSystemError {
                try world.expectServable()
            }
            guard steps < 500 else {
                Issue.record("it never ends")
                return
            }
        }
        #expect(steps > 20)
        #expect(try world.packument("foo")["dist-tags"] == ["latest": "2.0.0"])
        #expect(try world.contents().keys.filter { $0.contains(".ferry") || $0.contains(".lock") } == [])
        try world.expectServable()
    }
}
