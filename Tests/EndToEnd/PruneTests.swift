import BundleFormat
import Catalog
import Export
import Foundation
import PackageStore
import Platform
import Settings
import Snapshots
import SystemPackage
import Testing
import Upkeep

/// A prune removes what it says, keeps every other snapshot whole, and may stop anywhere.
@Suite struct PruneTests {
    /// Long after anything that a test writes.
    private static let now = Timestamp(nanoseconds: 4_000_000_000_000_000_000)

    private static let limits = Pruner.Limits(
        snapshots: OnlineSettings.RetentionLimits(count: 1), artifacts: OnlineSettings.RetentionLimits(count: 1),
        logs: OnlineSettings.RetentionLimits(age: 90 * 86_400))

    /// Seven snapshots, the first five of them bundled, logs, and what killed runs leave.
    private func prepared() throws -> World {
        let world = try World()
        var versions: [String: String] = [:]
        for number in 1...7 {
            versions["\(number).0.0"] = "foo \(number)"
            try world.put("foo", versions)
            if number % 2 == 1 { try world.put("@s/bar", versions) }
            try world.put("same", ["1.0.0": "same"])
            let before = try world.snapshots.headers().last?.id
            try world.snapshot()
            if number <= 5 { try world.keepBundle(from: number == 4 ? before : nil) }
        }
        let state = world.root.appending("state")
        for (name, days) in [("check-1.log", 400), ("check-2.log", 91), ("check-3.log", 89), ("scan-1.log", 0), ("notes.txt", 400)] {
            try world.files.createDirectories(state.appending("logs"))
            try world.files.write(Array(name.utf8), to: state.appending("logs").appending(name))
            try touch(state.appending("logs").appending(name), daysAgo: days)
        }
        for directory in ["artifacts/.b-00000000000000000000.draft", "artifacts/b-00000000000000000000", "snapshots/20200101T000000Z"] {
            try world.files.createDirectories(state.appending(directory))
            try world.files.write(Array("rest".utf8), to: state.appending(directory).appending("withheld.txt"))
        }
        try world.files.write(Array("rest".utf8), to: state.appending("snapshots/.manifest.draft"))
        let digits = String(repeating: "0", count: 128)
        try world.files.write(Array("rest".utf8), to: world.snapshots.objects.appending(".\(digits).draft"))
        try world.files.write(Array("never named".utf8), to: world.snapshots.objects.appending(digits))
        for stranger in ["artifacts/notes.txt", "snapshots/notes.txt", "snapshots/objects/notes.txt"] {
            try world.files.write(Array("a stranger's".utf8), to: state.appending(stranger))
        }
        return world
    }

    private func touch(_ path: FilePath, daysAgo: Int) throws {
        let date = Date(timeIntervalSince1970: Double(Self.now.seconds - Int64(daysAgo) * 86_400))
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path.string)
    }

    private func pruner(
        _ state: FilePath, _ limits: Pruner.Limits = PruneTests.limits, files: any FileSystem = DiskFileSystem()
    ) -> Pruner {
        Pruner(state: state, limits: limits, clock: WallClock { Self.now }, files: files)
    }

    /// Every file below the state but the database, and every directory with a slash.
    private func files(_ state: FilePath, _ world: World) throws -> Set<String> {
        Set(try world.contents(of: state).keys.filter { !$0.hasPrefix("data.sqlite") })
    }

    /// A copy of a world's state, and its catalog.
    private func copy(_ world: World, _ name: String) throws -> (state: FilePath, catalog: Catalog) {
        let state = world.root.appending(name)
        try FileManager.default.copyItem(atPath: world.root.appending("state").string, toPath: state.string)
        for log in try world.files.names(in: state.appending("logs")) ?? [] {
            let modified = try #require(try world.files.status(of: world.root.appending("state/logs").appending(log))).identity.modified
            try touch(state.appending("logs").appending(log), daysAgo: Int((Self.now.nanoseconds - modified) / 86_400_000_000_000))
        }
        return (state, try Catalog(opening: state.appending("data.sqlite")))
    }

    /// Bundles every snapshot that there is, and the way from it to the newest.
    private func expectBundles(_ state: FilePath, _ catalog: Catalog, _ world: World) throws -> Int {
        let store = SnapshotStore(directory: state.appending("snapshots"))
        let builder = BundleBuilder(
            layout: try StorageLayout(root: world.online).located(), store: store, artifacts: world.root.appending("tried"),
            known: [])
        let newest = try #require(store.headers().last)
        for header in try store.headers() {
            for (baseline, target) in [(nil, header.id), (header.id, newest.id)] where baseline != target {
                let envelope = BundleWriter.Envelope(
                    bundle: Identifier(.bundle, random: [UInt8](repeating: 1, count: 20)), created: Self.now, destination: .any,
                    sequence: 1, keys: [], program: "tests")
                let written = try builder.build(
                    from: baseline.map { try builder.open($0) }, to: builder.open(target), envelope: envelope, allowsUnsettled: false)
                try builder.remove(written.descriptor.bundle)
            }
        }
        return try store.headers().count
    }

    @Test func `a dry run says what a run removes, to the last file and byte`() throws {
        let world = try prepared()
        let state = world.root.appending("state")
        let before = try files(state, world)
        let size = DirectorySize.measure(state).total.bytes - catalogBytes(state)
        let plan = try pruner(state).plan(world.catalog)
        #expect(try files(state, world) == before && pruner(state).plan(world.catalog) == plan)

        try pruner(state).run(plan, world.catalog)
        let gone = before.subtracting(try files(state, world))
        let named = Set(plan.items.map(\.path) + plan.forms.map { world.snapshots.object($0.digest) })
        for path in gone {
            let path = state.appending(path.hasSuffix("/") ? String(path.dropLast()) : path)
            #expect(named.contains(path) || named.contains(path.removingLastComponent()), "\(path)")
        }
        for path in named { #expect(try world.files.status(of: path) == nil, "\(path)") }
        #expect(size - (DirectorySize.measure(state).total.bytes - catalogBytes(state)) == plan.bytes && plan.bytes > 0)
        #expect(try pruner(state).plan(world.catalog).isEmpty)
    }

    private func catalogBytes(_ state: FilePath) -> Int64 {
        let names = (try? DiskFileSystem().names(in: state)) ?? []
        return names.filter { $0.hasPrefix("data.sqlite") }.reduce(0) { sum, name in
            sum + ((try? DiskFileSystem().status(of: state.appending(name)))?.identity.size ?? 0)
        }
    }

    @Test func `what stays is what is needed, and strangers`() throws {
        let world = try prepared()
        let state = world.root.appending("state")
        let (bundles, headers) = (try world.catalog.bundles(), try world.snapshots.headers())
        let plan = try pruner(state).plan(world.catalog)
        try pruner(state).run(plan, world.catalog)
        // Of the last three bundles, 3 to 5, targets and baselines; and the newest.
        #expect(try world.snapshots.headers().map(\.counter) == [3, 4, 5, 7])
        #expect(plan.spared.map(\.snapshot) == [headers[2], headers[3], headers[4]].map(\.id))
        #expect(try world.catalog.bundles().map { $0.pruned == nil } == [true, false, false, false, false])
        #expect(try world.catalog.bundles().map(\.id) == bundles.map(\.id))
        let found = try files(state, world)
        #expect(found.filter { $0.hasPrefix("artifacts/b-") && $0.hasSuffix("/") } == ["artifacts/\(bundles[0].id)/"])
        #expect(found.filter { $0.hasPrefix("logs/") }.subtracting(["logs/"]) == ["logs/check-3.log", "logs/scan-1.log", "logs/notes.txt"])
        #expect(found.isSuperset(of: ["artifacts/notes.txt", "snapshots/notes.txt", "snapshots/objects/notes.txt"]))
        // Every form that is left is named by a snapshot that is left; the same packument of all of them once.
        var named: Set<String> = ["snapshots/objects/notes.txt", "snapshots/objects/"]
        for header in try world.snapshots.headers() {
            var reader = try #require(try world.snapshots.open(header.id))
            while let file = try reader.nextPackument() { named.insert("snapshots/objects/\(file.digest)") }
        }
        #expect(found.filter { $0.hasPrefix("snapshots/objects/") } == named)
        #expect(try expectBundles(state, world.catalog, world) == 4)
    }

    @Test func `without limits only what is left over goes`() throws {
        let world = try prepared()
        let state = world.root.appending("state")
        let plan = try pruner(state, Pruner.Limits()).plan(world.catalog)
        #expect(plan.items.map(\.kind) == [.leftover, .leftover, .leftover, .leftover, .leftover] && plan.forms.count == 1)
        try pruner(state, Pruner.Limits()).run(plan, world.catalog)
        #expect(try world.snapshots.headers().count == 7 && expectBundles(state, world.catalog, world) == 7)
    }

    @Test func `a form that the last scan names stays though no snapshot does`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        try world.snapshot()
        for number in 2...5 { try world.put("gone-\(number)", ["1.0.0": "x"]) }
        // A scan whose snapshot is refused keeps its records.
        try world.files.removeTree(world.online.appending("foo"))
        #expect(throws: SnapshotBuilder.Shrunk.self) { try world.snapshot() }
        let state = world.root.appending("state")
        #expect(try world.files.names(in: world.snapshots.objects)?.count == 5)
        #expect(try pruner(state).plan(world.catalog).forms == [])
        try world.snapshot(allowsShrinking: true)
        _ = try world.bundle()
    }

    @Test(arguments: ["", "{", "cut"])
    func `a snapshot that cannot be read keeps everything, and is named`(damage: String) throws {
        let world = try prepared()
        let state = world.root.appending("state")
        let manifest = world.snapshots.manifest(of: try world.snapshots.headers()[4].id)
        let bytes = try #require(try world.files.contents(of: manifest, limit: 1 << 20))
        try world.files.write(damage == "cut" ? Array(bytes.dropLast(200)) : Array(damage.utf8), to: manifest)
        #expect { try pruner(state).plan(world.catalog) } throws: {
            "\($0)".contains(manifest.string) && "\($0)".contains("nothing was removed")
        }
    }

    // MARK: Stopped on its way

    @Test func `a prune that is killed at any step leaves every snapshot whole, and the next one completes it`() throws {
        let world = try prepared()
        let (reference, catalog) = try copy(world, "reference")
        try pruner(reference).run(pruner(reference).plan(catalog), catalog)
        let expected = try files(reference, world)
        var steps = 0
        while true {
            let (state, catalog) = try copy(world, "state-\(steps)")
            let plan = try pruner(state).plan(catalog)
            let isOver: Bool
            do {
                try pruner(state, files: CrashingFileSystem(stepsUntilCrash: steps)).run(plan, catalog)
                isOver = true
            } catch is FileSystemError { isOver = false }
            #expect(try expectBundles(state, catalog, world) >= 4, "after \(steps) steps")
            try pruner(state).run(pruner(state).plan(catalog), catalog)
            #expect(try files(state, world) == expected, "after \(steps) steps")
            #expect(try catalog.bundles().filter { $0.pruned != nil }.count == 4)
            try world.files.removeTree(state)
            if isOver { break }
            steps += 1
            try #require(steps < 200)
        }
        #expect(steps > 20)
    }

    @Test(arguments: [true, false])
    func `a power cut at any step brings back no snapshot without its forms`(losesAll: Bool) throws {
        let world = try prepared()
        let (reference, catalog) = try copy(world, "reference")
        try pruner(reference).run(pruner(reference).plan(catalog), catalog)
        let expected = try files(reference, world)
        var steps = 0
        while true {
            let (state, catalog) = try copy(world, "state-\(steps)")
            let cutting = try PowerCutFileSystem(stepsUntilCut: steps, aside: world.root.appending("aside-\(steps)"))
            let plan = try pruner(state).plan(catalog)
            let isOver: Bool
            do {
                try pruner(state, files: cutting).run(plan, catalog)
                isOver = true
            } catch is FileSystemError { isOver = false }
            // A file system may have written back what happened to the forms, and not yet what happened before.
            try cutting.cut(.losesAll, stageIn: world.isolated) { losesAll || $0.lastComponent?.string != "objects" }
            #expect(try expectBundles(state, catalog, world) >= 4, "after \(steps) steps")
            try pruner(state).run(pruner(state).plan(catalog), catalog)
            #expect(try files(state, world) == expected, "after \(steps) steps")
            try world.files.removeTree(state)
            if isOver { break }
            steps += 1
            try #require(steps < 200)
        }
        #expect(steps > 20)
    }
}
