import BundleFormat
import CanonicalJSON
import Catalog
import Databases
import Foundation
import Integrity
import PackageStore
import Platform
import Snapshots
import Synchronization
import SystemPackage
import Testing

/// What the catalog keeps, and what it says where its disk is full.
@Suite struct CatalogTests {
    @Test func `a catalog is not opened on a full disk, and nothing is left there`() throws {
        let world = try World()
        let path = world.root.appending("full/data.sqlite")
        try world.files.createDirectories(path.removingLastComponent())
        #expect(throws: DatabaseFileError.noSpace(path)) { try Catalog(opening: path, freeBytes: { _ in 1 << 20 }) }
        #expect(try world.files.names(in: path.removingLastComponent()) == [])
    }

    @Test func `a change that the disk has no room for is refused before it begins`() throws {
        let world = try World()
        let free = Mutex<Int64>(1 << 30)
        let path = world.root.appending("full/data.sqlite")
        try world.files.createDirectories(path.removingLastComponent())
        let catalog = try Catalog(opening: path, freeBytes: { _ in free.withLock { $0 } })
        try catalog.want(["foo"])
        free.withLock { $0 = 1 << 20 }
        #expect(throws: DatabaseFileError.noSpace(path)) { try catalog.want(["bar"]) }
        // Room for the reserve is not room for the reserve and a record.
        free.withLock { $0 = FileSystemSpace.reserve + 100 }
        try world.put("foo", ["1.0.0": "foo one"])
        try world.snapshot()
        let name = try #require(PackageName("foo"))
        let encoded = try #require(try world.catalog.records(from: name, through: name)[name])
        let record = try #require(PackageRecord(decoding: encoded))
        #expect(throws: DatabaseFileError.noSpace(path)) { try catalog.keep([(name, record)]) }
        #expect(try catalog.records(from: name, through: name) == [:])
        free.withLock { $0 = 1 << 30 }
        try catalog.keep([(name, record)])
        #expect(try catalog.records(from: name, through: name) == [name: encoded] && catalog.wants().count == 1)
    }

    /// A catalog that was closed, with its log in it.
    private func closedCatalog(_ world: World) throws -> FilePath {
        let path = world.root.appending("other/data.sqlite")
        try world.files.createDirectories(path.removingLastComponent())
        try Catalog(opening: path).want(["foo"])
        return path
    }

    @Test(arguments: ["zeros", "text", "half", "schema", "another's"])
    func `a file that is no catalog is named, and stays as it is`(kind: String) throws {
        let world = try World()
        let path = try closedCatalog(world)
        var bytes = try #require(try world.files.contents(of: path, limit: 1 << 24))
        switch kind {
        case "zeros": bytes = [UInt8](repeating: 0, count: bytes.count)
        case "text": bytes = Array("hello".utf8)
        case "half": bytes = Array(bytes.prefix(bytes.count / 2))
        case "schema": for place in 3000..<4096 { bytes[place] ^= 0x55 }
        default:
            let table = Array("scan_record".utf8)
            let places = bytes.indices.dropLast(table.count).filter { bytes[$0..<$0 + table.count].elementsEqual(table) }
            for place in places { bytes[place] = UInt8(ascii: "x") }
        }
        try world.files.replace(path, with: bytes)
        let error = #expect(throws: DatabaseFileError.self) {
            let catalog = try Catalog(opening: path)
            _ = try catalog.records(from: #require(PackageName("a")), through: #require(PackageName("b")))
        }
        guard case .corrupt(path, _)? = error else { throw try #require(error) }
        #expect("\(try #require(error))".contains("is damaged"))
        if kind != "another's" { #expect(try world.files.contents(of: path, limit: 1 << 24) == bytes) }
    }

    @Test func `a directory in its place is named`() throws {
        let world = try World()
        let path = world.root.appending("other/data.sqlite")
        try world.files.createDirectories(path)
        let error = #expect(throws: DatabaseFileError.self) { _ = try Catalog(opening: path) }
        guard case .inaccessible(path, _)? = error else { throw try #require(error) }
    }

    @Test func `a catalog that stays locked is said to be`() throws {
        let world = try World()
        let path = try closedCatalog(world)
        let other = try Catalog(opening: path)
        let catalog = try Catalog(opening: path, patience: 0)
        let bundle = BundleRecord(
            id: Identifier(.bundle, random: randomBytes(20)), label: "l", created: Timestamp(nanoseconds: 0), destination: .any,
            sequence: 9,
            baseline: nil, target: try #require(SnapshotID("20260101T000000Z")), targetRoot: .ofNothing,
            counts: BundleCounts(files: 0, bytes: 0, packages: 0, removed: 0), size: 1,
            keys: [])
        // Its list of files is asked for inside a transaction.
        try other.add(bundle) { _ in
            #expect(throws: DatabaseFileError.locked(path)) { try catalog.want(["bar"]) }
        }
        try catalog.want(["bar"])
        #expect(try catalog.wants().map(\.spec) == ["bar", "foo"])
    }

    /// An overlay that withdraws 2.0.0.
    private func overlay(_ world: World) throws -> UpstreamOverlay {
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"], isProxied: true)
        return try world.overlay("foo", ["1.0.0": [:]], tags: ["latest": "1.0.0"])
    }

    @Test func `what upstream says is kept, replaced, and found by range`() throws {
        let world = try World()
        let names = try ["@a/b", "bar", "foo", "foo-bar"].map { try #require(PackageName($0)) }.sorted()
        let empty = UpstreamRecord(
            url: "https://r.example/bar", etag: nil, checked: Timestamp(nanoseconds: 1_795_439_936_969_000_001),
            overlay: UpstreamOverlay())
        var full = empty
        full.etag = "\"1514\""
        full.overlay = try overlay(world)
        let records = names.map { ($0, $0.text == "bar" ? empty : full) }
        try world.catalog.keep(records)
        for (name, record) in records { #expect(try world.catalog.upstream(of: name) == record) }
        #expect(try world.catalog.upstream(of: #require(PackageName("never"))) == nil)
        #expect(try world.catalog.overlays(from: names[0], through: names[3]).count == 3)
        #expect(try world.catalog.overlays(from: names[2], through: names[2]) == [names[2]: full.overlay])
        try world.catalog.keep([(names[2], empty)])
        #expect(try world.catalog.upstream(of: names[2]) == empty && world.catalog.overlays(from: names[2], through: names[2]) == [:])
    }

    /// Runs SQL on a database beside the catalog.
    private func execute(_ sql: String, on path: FilePath) throws {
        let program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.close()"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", program, path.string, sql]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    /// A catalog as the first version wrote it, which has taken one sequence number.
    private static let version1 = """
        CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
        INSERT INTO grdb_migrations VALUES ('1');
        CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE scan_record (sort_key BLOB PRIMARY KEY, record BLOB NOT NULL) STRICT;
        CREATE TABLE bundle (
            sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, label TEXT NOT NULL, created TEXT NOT NULL,
            destination TEXT NOT NULL, baseline TEXT, target TEXT NOT NULL, target_root TEXT NOT NULL,
            files INTEGER NOT NULL, bytes INTEGER NOT NULL, packages INTEGER NOT NULL, removed INTEGER NOT NULL,
            size_bytes INTEGER NOT NULL, keys TEXT NOT NULL
        ) STRICT;
        INSERT INTO setting VALUES ('sequence', '1');
        """

    @Test func `a catalog of version 1 is brought up to date with all that it holds`() throws {
        let world = try World()
        let path = world.root.appending("old/data.sqlite")
        try world.files.createDirectories(path.removingLastComponent())
        let name = try #require(PackageName("foo"))
        let record = UpstreamRecord(url: "u", etag: nil, checked: Timestamp(nanoseconds: 1), overlay: try overlay(world))
        try execute(Self.version1, on: path)
        let catalog = try Catalog(opening: path)
        #expect(try catalog.upstream(of: name) == nil)
        try catalog.keep([(name, record)])
        #expect(try catalog.upstream(of: name) == record)
        // The states go on above the sequence that was taken.
        let header = try world.snapshot().header
        #expect(try header.counter == 1 && catalog.sequence(of: header) == 2)
    }

    @Test func `an overlay that is damaged is not taken for none`() throws {
        let world = try World()
        let name = try #require(PackageName("foo"))
        try world.catalog.keep([(name, UpstreamRecord(url: "u", etag: nil, checked: Timestamp(nanoseconds: 1), overlay: overlay(world)))])
        try execute("UPDATE upstream SET overlay = x'7b7d';", on: world.root.appending("state/data.sqlite"))
        #expect(throws: DatabaseFileError.self) { try world.catalog.upstream(of: name) }
        #expect(throws: DatabaseFileError.self) { try world.snapshot() }
    }
}
