import BundleFormat
import CanonicalJSON
import Foundation
import Integrity
import PackageStore
import Platform
import Snapshots
import Synchronization
import SystemPackage
import Testing

/// What a snapshot makes of a storage that does not hold still, or of a state that lost something.
@Suite struct SnapshotTests {
    @Test func `a tarball that never holds still makes the snapshot unsettled`() throws {
        let world = try World()
        try world.put("still", ["1.0.0": "still"])
        try world.put("big", ["1.0.0": String(repeating: "x", count: 32 << 20)])
        let path = world.online.appending("big/big-1.0.0.tgz").string
        let isOver = Atomic(false)
        let writer = Thread {
            guard let file = FileHandle(forUpdatingAtPath: path) else { return }
            var byte: UInt8 = 0
            while !isOver.load(ordering: .relaxed) {
                byte &+= 1
                try? file.seek(toOffset: 0)
                file.write(Data([byte]))
            }
        }
        writer.start()
        defer { isOver.store(true, ordering: .relaxed) }
        let report = try world.snapshot()
        #expect(!report.header.isSettled && report.passes == 5)
        #expect(report.findings.contains { $0.code == .changedWhileRead })
        #expect(throws: (any Error).self) { try world.bundle() }
    }

    @Test func `a storage that holds still is read once and looked at twice`() throws {
        let world = try World()
        for name in ["foo", "bar"] { try world.put(name, ["1.0.0": "\(name) one"]) }
        let first = try world.snapshot()
        #expect(first.passes == 2 && first.hashedFiles == 2 && first.header.isSettled)
        let again = try world.snapshot()
        #expect(again.passes == 1 && again.hashedFiles == 0 && !again.isNew)
    }

    @Test(arguments: ["a tarball", "a tarball of the same size", "a packument", "a removal", "a package", "a package's removal"])
    func `what changes once all is read is in the snapshot, and the storage is read until it holds still`(change: String) throws {
        let world = try World()
        for name in ["foo", "bar"] { try world.put(name, ["1.0.0": "\(name) one", "2.0.0": "\(name) two"]) }
        let elsewhere = world.root.appending("elsewhere")
        try world.put("spare", ["1.0.0": "spare"], in: elsewhere)
        try world.put("foo", ["1.0.0": "foo one"], in: elsewhere)
        let (files, online) = (world.files, world.online)
        let hasChanged = Atomic(false)
        let report = try world.snapshot { done, total, _ in
            guard done == total, !hasChanged.exchange(true, ordering: .relaxed) else { return }
            do {
                let foo = online.appending("foo")
                switch change {
                case "a tarball": try files.write(Array("longer than before".utf8), to: foo.appending("foo-1.0.0.tgz"))
                case "a tarball of the same size": try files.write(Array("foo ONE".utf8), to: foo.appending("foo-1.0.0.tgz"))
                case "a packument": try files.rename(elsewhere.appending("foo/package.json"), to: foo.appending("package.json"))
                case "a removal": try files.removeTree(foo.appending("foo-1.0.0.tgz"))
                case "a package": try files.rename(elsewhere.appending("spare"), to: online.appending("spare"))
                default: try files.removeTree(foo)
                }
            } catch { Issue.record(error) }
        }
        // A package that is gone is nothing that another scan could find changed.
        #expect(report.header.isSettled && report.passes == (change == "a package's removal" ? 2 : 3))
        let again = try world.snapshot()
        #expect(!again.isNew && again.header.stateRoot == report.header.stateRoot && again.hashedFiles == 0)
        let counts = ["a package": 8, "a package's removal": 3]
        #expect(report.header.counts.files == counts[change] ?? 5)
    }

    @Test(arguments: ["one form", "every form", "all snapshots"])
    func `transfer forms that were lost are made again`(loss: String) throws {
        let world = try World()
        for name in ["foo", "bar"] { try world.put(name, ["1.0.0": "\(name) one"]) }
        _ = try world.snapshot()
        let before = try world.snapshot()
        let objects = world.snapshots.objects
        switch loss {
        case "one form":
            let name = try #require(try world.files.names(in: objects)?.first)
            try world.files.removeTree(objects.appending(name))
        case "every form": try world.files.removeTree(objects)
        default: try world.files.removeTree(world.snapshots.directory)
        }
        let after = try world.snapshot()
        #expect(after.header.stateRoot == before.header.stateRoot && after.hashedFiles == 0)
        try world.run(world.bundle())
        try world.expectServable()
        #expect(try world.contents().count == 6)
    }

    @Test func `a tarball under another name than its version's is found among versions that are only known`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"], knownOnly: ["3.0.0", "4.0.0"])
        let path = world.online.appending("foo/package.json")
        let text = String(decoding: try #require(try world.files.contents(of: path, limit: 1 << 20)), as: UTF8.self)
        try world.files.write(Array(text.replacing("foo-1.0.0.tgz", with: "old-name.tgz").utf8), to: path)
        try world.files.rename(world.online.appending("foo/foo-1.0.0.tgz"), to: world.online.appending("foo/old-name.tgz"))
        let report = try world.snapshot()
        #expect(report.findings == [] && report.header.counts.files == 3)
        try world.run(world.bundle())
        #expect(try world.packument("foo")["versions"]?.object?.members.map(\.name).sorted() == ["1.0.0", "2.0.0"])
        try world.expectServable()
    }

    @Test func `names that differ in composition only are two, and a number out of range is null`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        let path = world.online.appending("foo/package.json")
        let text = String(decoding: try #require(try world.files.contents(of: path, limit: 1 << 20)), as: UTF8.self)
        let member = "\"version\":\"1.0.0\",\"bin\":{\"caf\u{E9}\":\"a.js\",\"cafe\u{301}\":\"b.js\"},\"config\":{\"limit\":1e999}"
        try world.files.write(Array(text.replacing("\"version\":\"1.0.0\"", with: member).utf8), to: path)
        try world.snapshot()
        try world.run(world.bundle())
        let entry = try world.packument("foo")["versions"]?.object?["1.0.0"]?.object
        #expect(entry?["bin"]?.object?.members.count == 2)
        #expect(entry?["bin"]?.object?["caf\u{E9}"] == "a.js" && entry?["bin"]?.object?["cafe\u{301}"] == "b.js")
        #expect(entry?["config"]?.object?["limit"] == .null)
    }

    @Test func `a version that wrongly names another one's tarball does not take it away`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one", "2.0.0": "foo two"])
        let path = world.online.appending("foo/package.json")
        let text = String(decoding: try #require(try world.files.contents(of: path, limit: 1 << 20)), as: UTF8.self)
        try world.files.write(Array(text.replacing("foo-1.0.0.tgz", with: "foo-2.0.0.tgz").utf8), to: path)
        let report = try world.snapshot()
        #expect(Set(report.findings.map(\.code)) == [.tarballMismatch, .tarballUndeclared])
        try world.run(world.bundle())
        #expect(try world.packument("foo")["versions"]?.object?.members.map(\.name) == ["2.0.0"])
    }

    /// A package in the root, with a sub-directory of its own, below a scope's name and below a hidden one.
    @Test func `every configured sub-directory is searched, whatever it is called`() throws {
        let world = try World()
        let places = ["corp": "", "plain": "", "inner": "corp", "@acme/a": "@acme", "@acme/b": "@acme", "secret": ".hidden", "deep": "a/b"]
        for (name, place) in places {
            try world.put(name, ["1.0.0": name], in: place.isEmpty ? nil : world.online.appending(place))
        }
        let layout = StorageLayout(root: world.online, subdirectories: ["corp", "@acme", ".hidden", "a/b"]) { name in
            places[name.text].flatMap { $0.isEmpty ? nil : $0 }
        }
        let found = try layout.discover()
        #expect(Set(found.packages.map(\.package.text)) == Set(places.keys))
        #expect(found.findings == [])
        for location in found.packages { #expect(try world.files.status(of: location.directory.appending("package.json")) != nil) }
    }

    @Test func `names that are not utf-8 are findings`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        for path in ["online/bad\u{1}", "online/foo/foo\u{1}.tgz"] {
            // The byte 0xFF in place of the 1.
            let bytes =
                Array(world.root.appending(path).string.utf8).map { $0 == 1 ? CChar(bitPattern: 0xFF) : CChar(bitPattern: $0) } + [0]
            #expect(bytes.withUnsafeBufferPointer { $0.baseAddress.map { mkdir($0, 0o755) } } == 0)
        }
        let report = try world.snapshot()
        #expect(report.findings.map(\.code) == [.invalidName, .invalidName])
        #expect(report.header.counts.files == 2)
    }
}
