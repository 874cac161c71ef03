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

/// An import is cut off at each of its steps, in each way a power cut can lose what was not synced.
@Suite struct PowerCutTests {
    private static let rotten = Array("rotten!".utf8)

    /// A storage that an import will add to: a package to merge, one to heal, one published inside, and new ones.
    private func prepared() throws -> (World, archive: FilePath) {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        try world.put("heal", ["1.0.0": "sound"])
        try world.snapshot()
        try world.run(world.bundle())
        try world.files.write(Self.rotten, to: world.isolated.appending("heal/heal-1.0.0.tgz"))
        try world.put("foo", ["1.0.0": "foo one", "1.5.0": "published inside"], in: world.isolated)
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"])
        try world.put("new", ["1.0.0": "new"])
        try world.put("@scope/new", ["1.0.0": "scoped", "1.1.0": "scoped again"])
        try world.snapshot()
        return (world, try world.bundle())
    }

    @Test(arguments: PowerCut.allCases)
    func `a power cut in a rollback leaves each package old or new, and the same command completes it`(cut: PowerCut) throws {
        let (world, archive) = try prepared()
        let before = try world.contents().filter { $0.key != "heal/heal-1.0.0.tgz" }
        try world.run(archive)
        var number = 0
        var isComplete = false
        while !isComplete {
            let side = try Side(of: world, number: number)
            let files = try PowerCutFileSystem(stepsUntilCut: number, aside: side.root.appending("aside"))
            let place = "\(cut) at step \(number)"
            do {
                try side.rollBack(files: files)
                isComplete = true
            } catch is FileSystemError {}
            try files.cut(cut, stageIn: side.storage)
            try expectServable(side, place)
            if !isComplete { try side.rollBack() }
            try expectServable(side, place)
            // A hidden directory may have come back empty; the next run of anything takes it away.
            try side.clear()
            let left = try world.contents(of: side.storage).filter { $0.key != "@scope/" && $0.key != "heal/heal-1.0.0.tgz" }
            #expect(left == before, "\(place): \(left.keys.filter { left[$0] != before[$0] })")
            #expect(try side.run(archive, files: DiskFileSystem()).outcomes["added"] == 4, "\(place)")
            try DiskFileSystem().removeTree(side.root)
            number += 1
        }
        #expect(number > 20)
    }

    /// A storage that an import will take a version from, and a whole package.
    private func preparedToTakeAway() throws -> (World, archive: FilePath, ImportPipeline.Options) {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"])
        try world.put("@scope/bar", ["1.0.0": "bar one"])
        for number in 0..<1 { try world.put("filler-\(number)", ["1.0.0": "\(number)"]) }
        let first = try world.snapshot().header.id
        try world.run(world.bundle())
        try world.files.removeTree(world.online.appending("foo"))
        try world.put("foo", ["1.0.0": "foo one"])
        try world.files.removeTree(world.online.appending("@scope/bar"))
        try world.snapshot(allowsShrinking: true)
        var options = ImportPipeline.Options.oneAtATime
        options.removed = .quarantine
        return (world, try world.bundle(from: first), options)
    }

    @Test(arguments: PowerCut.allCases)
    func `a power cut while versions are taken away leaves each package old or new, and both ways on are open`(cut: PowerCut) throws {
        let (world, archive, options) = try preparedToTakeAway()
        let before = try world.contents()
        var number = 0
        var isComplete = false
        while !isComplete {
            for isUndone in cut == .losesAll ? [false, true] : [false] {
                let side = try Side(of: world, number: number)
                let files = try PowerCutFileSystem(stepsUntilCut: number, aside: side.root.appending("aside"))
                let place = "\(cut) at step \(number)\(isUndone ? ", undone" : "")"
                do {
                    _ = try side.run(archive, files: files, options)
                    isComplete = true
                } catch is FileSystemError {}
                try files.cut(cut, stageIn: side.storage)
                try expectServable(side, place)
                if !isUndone {
                    _ = try side.run(archive, files: DiskFileSystem(), options)
                    #expect(try versions(side, "foo") == ["1.0.0"], "\(place)")
                    #expect(try side.ledger.takenCounts(by: 2) == ["quarantined": 2], "\(place)")
                    #expect(try side.quarantined() == ["@scope/bar@1.0.0", "foo@2.0.0"], "\(place)")
                    #expect(try DiskFileSystem().status(of: side.storage.appending("foo/foo-2.0.0.tgz")) == nil, "\(place)")
                    try expectServable(side, place)
                }
                if try side.ledger.imports().count == 2 {
                    do { try side.rollBack() } catch is GenerationError where isUndone {}
                }
                try side.clear()
                let left = try world.contents(of: side.storage).filter { !Self.isLeftover($0.key) }
                #expect(left == before, "\(place): \(left.keys.filter { left[$0] != before[$0] })")
                try DiskFileSystem().removeTree(side.root)
            }
            number += 1
        }
        #expect(number > 30)
    }

    @Test(arguments: PowerCut.allCases)
    func `a power cut while versions are brought back leaves each package old or new, and the same command completes it`(
        cut: PowerCut
    ) throws {
        let (world, archive, options) = try preparedToTakeAway()
        let before = try world.contents()
        try world.run(archive, options)
        // Of a scope that is empty its directory may have gone, too.
        #expect(try world.files.remove(world.isolated.appending("@scope")))
        var number = 0
        var isComplete = false
        while !isComplete {
            let side = try Side(of: world, number: number)
            let files = try PowerCutFileSystem(stepsUntilCut: number, aside: side.root.appending("aside"), hasStage: false)
            let place = "\(cut) at step \(number)"
            do {
                try side.rollBack(files: files)
                isComplete = true
            } catch is FileSystemError {}
            try files.cut(cut, stageIn: side.storage)
            try expectServable(side, place)
            if !isComplete, try side.ledger.entry(2)?.state != .rolledBack { try side.rollBack() }
            try expectServable(side, place)
            #expect(try side.quarantined().isEmpty, "\(place)")
            try side.clear()
            let left = try world.contents(of: side.storage).filter { !Self.isLeftover($0.key) }
            #expect(left == before, "\(place): \(Set(left.keys).symmetricDifference(before.keys))")
            try DiskFileSystem().removeTree(side.root)
            number += 1
        }
        #expect(number > 30)
    }

    /// Whether a path is one that hinders nobody: what is hidden, or a lock from before the machine was started, which whoever comes next
    /// takes over.
    private static func isLeftover(_ path: String) -> Bool {
        path.hasPrefix(".ferry-quarantine") || path.contains("/.package.json") || path.hasSuffix(".lock")
    }

    @Test(arguments: PowerCut.allCases, ["foo", "@scope/bar"])
    func `a power cut in a release leaves a package old or new, and what is said to be back is back`(cut: PowerCut, name: String) throws {
        let (world, archive, options) = try preparedToTakeAway()
        let before = try world.contents()
        try world.run(archive, options)
        #expect(try world.files.remove(world.isolated.appending("@scope")))
        let expected = before.filter { $0.key.hasPrefix("\(name)/") && $0.key.hasSuffix(".tgz") }
        var number = 0
        var isComplete = false
        while !isComplete {
            let side = try Side(of: world, number: number)
            let files = try PowerCutFileSystem(stepsUntilCut: number, aside: side.root.appending("aside"), hasStage: false)
            let place = "\(cut) at step \(number)"
            do {
                try side.release(name, files: files)
                isComplete = true
            } catch is FileSystemError {}
            try files.cut(cut, stageIn: side.storage)
            try expectServable(side, place)
            try side.clear()
            let isSaid = try side.ledger.imports().contains { $0.kind == .release }
            if !isSaid { try side.release(name, files: DiskFileSystem()) }
            try expectServable(side, place)
            let left = try world.contents(of: side.storage)
            #expect(left.filter { $0.key.hasPrefix("\(name)/") && $0.key.hasSuffix(".tgz") } == expected, "\(place)")
            #expect(left["\(name)/package.json"] != nil, "\(place)")
            // What came back into quarantine as well goes from there when it is released once more.
            do { try side.release(name, files: DiskFileSystem()) } catch QuarantineKeeper.Refusal.notQuarantined {}
            #expect(try side.quarantined().count == 1, "\(place)")
            try DiskFileSystem().removeTree(side.root)
            number += 1
        }
        #expect(number > 15)
    }

    /// Each package that is here can be read, and each version it names is here with its bytes; damage from before may still be there.
    private func expectServable(_ side: Side, _ place: String) throws {
        let files = DiskFileSystem()
        for location in try StorageLayout(root: side.storage).discover().packages {
            let bytes = try #require(try files.contents(of: location.directory.appending("package.json"), limit: 1 << 24), "\(place)")
            let stored = try StoredPackument(parsing: bytes, of: location.package)
            #expect(!stored.declared.isEmpty)
            for version in stored.declared {
                let tarball = try files.contents(of: location.directory.appending(version.file.text), limit: 1 << 24)
                let proof = tarball.map { TarballProof(sha512: SHA512.digest(of: $0), sha1: nil, size: Int64($0.count)) }
                let isSound = proof.flatMap(version.matches) == true || (version.file.text == "heal-1.0.0.tgz" && tarball == Self.rotten)
                #expect(isSound, "\(location.package)@\(version.version), \(place)")
            }
        }
    }

    private func versions(_ side: Side, _ name: String) throws -> Set<String> {
        let bytes = try #require(
            try DiskFileSystem().contents(of: side.storage.appending(name).appending("package.json"), limit: 1 << 24))
        let versions = try JSONParser.parse(bytes, mode: .strict).object?["versions"]?.object?.members ?? []
        return Set(versions.map(\.name))
    }

    @Test(arguments: PowerCut.allCases)
    func `a power cut leaves each package old or new, and the same command completes it`(cut: PowerCut) throws {
        let (world, archive) = try prepared()
        let before = try world.contents().filter { $0.key != "heal/heal-1.0.0.tgz" }
        var number = 0
        var isComplete = false
        while !isComplete {
            let side = try Side(of: world, number: number)
            let files = try PowerCutFileSystem(stepsUntilCut: number, aside: side.root.appending("aside"))
            let place = "\(cut) at step \(number)"
            do {
                _ = try side.run(archive, files: files)
                isComplete = true
            } catch is FileSystemError {}
            try files.cut(cut, stageIn: side.storage)
            try expectServable(side, place)
            let report = try side.run(archive, files: DiskFileSystem())
            #expect(report.result == (isComplete ? .nothingToDo : .applied), "\(place)")
            try expectServable(side, place)
            #expect(try versions(side, "foo") == ["1.0.0", "1.5.0", "2.0.0"], "\(place)")
            #expect(try versions(side, "@scope/new") == ["1.0.0", "1.1.0"], "\(place)")
            let healed = try DiskFileSystem().contents(of: side.storage.appending("heal/heal-1.0.0.tgz"), limit: 100)
            #expect(healed == Array("sound".utf8), "\(place)")
            #expect(try side.ledger.openImport() == nil)
            if cut == .losesAll {
                // The way back came through the cut as well.
                try side.rollBack()
                let left = try world.contents(of: side.storage).filter { $0.key != "@scope/" && $0.key != "heal/heal-1.0.0.tgz" }
                #expect(left == before, "\(place), undone: \(left.keys.filter { left[$0] != before[$0] })")
            }
            try DiskFileSystem().removeTree(side.root)
            number += 1
        }
        #expect(number > 40)
    }
}
