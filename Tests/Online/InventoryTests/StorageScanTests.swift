import CanonicalJSON
import Catalog
import Foundation
import Inventory
import PackageStore
import Platform
import SystemPackage
import Testing

/// What a scan learns, what it does not read again, and what it never touches.
@Suite struct StorageScanTests {
    @Test func `a scan learns versions, tags, times, sources and tarballs`() throws {
        let world = try StorageWorld()
        try world.put("foo", ["1.1.0", "1.0.0"], knownOnly: ["2.0.0"], deprecated: ["1.0.0": "old"])
        try world.put("@corp/tool", [], local: ["1.0.0"])
        try world.put("both", ["1.0.0"], local: ["1.0.1"])
        let report = try world.scan()
        #expect(report.packages == 3 && report.read == 3 && report.change.added == 3 && report.findings.isEmpty)
        #expect(report.totals.versions == 6 && report.totals.cachedVersions == 5 && report.totals.tarballs == 5)
        #expect(report.totals.localPackages == 2)

        let foo = try world.detail("foo")
        #expect(foo.summary.source == .proxied && foo.summary.latest == "1.1.0" && foo.summary.summary == "about foo")
        #expect(foo.summary.known == 3 && foo.summary.cached == 2 && foo.summary.bytes == 18)
        #expect(foo.versions.map(\.version) == ["2.0.0", "1.1.0", "1.0.0"])
        #expect(foo.versions.map { $0.tarball?.file } == [nil, "foo-1.1.0.tgz", "foo-1.0.0.tgz"])
        #expect(foo.versions.map(\.deprecated) == [nil, nil, "old"])
        #expect(foo.versions[1].published == Timestamp("2024-01-10T00:00:00.000Z"))
        #expect(foo.summary.published == Timestamp("2024-01-12T00:00:00.000Z"))
        #expect(foo.tags == ["latest": "1.1.0"])
        #expect(try world.detail("@corp/tool").summary.source == .local)
        let both = try world.detail("both")
        #expect(both.summary.source == .mixed && both.versions.map(\.isLocal) == [true, false])
    }

    @Test func `what was not touched is not read, and a packument that was merely fetched again changes nothing`() throws {
        let world = try StorageWorld()
        try world.put("foo", ["1.0.0"])
        try world.put("bar", ["1.0.0"])
        try world.scan()
        #expect(try world.scan().read == 0)
        try world.put("bar", ["1.0.0"], fetched: 2)
        let before = try world.detail("bar")
        let again = try world.scan()
        #expect(again.read == 1 && again.change == Catalog.InventoryChange())
        #expect(try world.detail("bar") == before)
        try world.put("bar", ["1.0.0", "1.1.0"])
        let third = try world.scan()
        #expect(third.read == 1 && third.change.changed == 1)
        let after = try world.detail("bar")
        #expect(after.summary.cached == 2 && after.summary.firstSeen == before.summary.firstSeen)
        #expect(after.summary.changed == world.now)
        // What was known of the version that did not change stays.
        #expect(after.versions.last == before.versions.last)
    }

    @Test func `a file as young as the scan that saw it is looked at again`() throws {
        let world = try StorageWorld()
        try world.put("foo", ["1.0.0"])
        let young = Timestamp(nanoseconds: 1)
        try world.scan(at: WallClock { young })
        #expect(try world.scan().read == 1, "it may have changed unseen")
        #expect(try world.scan().read == 0)
    }

    @Test func `a package that leaves is gone and keeps its history, and may come back`() throws {
        let world = try StorageWorld()
        try world.put("foo", ["1.0.0"])
        try world.put("bar", ["1.0.0"])
        try world.scan()
        let first = try world.detail("foo").summary.firstSeen
        try world.files.rename(world.storage.appending("foo"), to: world.root.appending("aside"))
        let report = try world.scan()
        #expect(report.gone == 1 && report.totals.packages == 1 && report.totals.tarballs == 1)
        #expect(try world.search("") == ["bar"])
        #expect(try world.detail("foo").summary.gone == world.now)
        try world.files.rename(world.root.appending("aside"), to: world.storage.appending("foo"))
        #expect(try world.scan().change.added == 1)
        let back = try world.detail("foo")
        #expect(back.summary.gone == nil && back.summary.firstSeen == first && back.versions.count == 1)
        #expect(try world.catalog.totals(since: Timestamp(nanoseconds: 0)).map(\.packages) == [2, 1, 2])
    }

    @Test(arguments: ["", "null", "{\"name\":\"foo\",\"ver", "{\"name\":\"other\",\"versions\":{}}", "[]"])
    func `a damaged packument is named, and what was known of its versions stays`(text: String) throws {
        let world = try StorageWorld()
        try world.put("foo", ["1.0.0"], knownOnly: ["2.0.0"])
        try world.scan()
        try world.files.replace(world.storage.appending("foo/package.json"), with: Array(text.utf8))
        let report = try world.scan()
        #expect(report.findings.map(\.subject) == ["foo/package.json"])
        let foo = try world.detail("foo")
        #expect(foo.packumentError != nil && foo.versions.count == 2 && foo.unnamed.isEmpty)
        #expect(foo.versions.last?.tarball?.file == "foo-1.0.0.tgz")
        try world.put("foo", ["1.0.0"], knownOnly: ["2.0.0"])
        try world.scan()
        #expect(try world.detail("foo").packumentError == nil)
        #expect(try world.detail("foo").unnamed.isEmpty)
    }

    @Test func `a storage that has lost every package is not mounted, unless somebody says otherwise`() throws {
        let world = try StorageWorld()
        #expect(try world.scan().packages == 0, "a new storage may be empty")
        try world.put("foo", ["1.0.0"])
        try world.scan()
        let away = world.root.appending("away")
        try world.files.rename(world.storage, to: away)
        try world.files.createDirectories(world.storage.appending("lost+found"))
        let error = #expect(throws: StorageScan.Vanished.self) { try world.scan() }
        #expect(error?.known == 1 && error?.storage == world.storage)
        #expect(try world.detail("foo").summary.gone == nil && world.detail("foo").versions.first?.tarball != nil)
        let scan = StorageScan(layout: StorageLayout(root: world.storage), catalog: world.catalog, clock: world.clock)
        #expect(try scan.run(allowsEmpty: true).gone == 1)
        #expect(try world.scan().packages == 0, "what was accepted is")
    }

    @Test func `links, foreign files and empty directories are named and not followed`() throws {
        let world = try StorageWorld()
        try world.put("foo", ["1.0.0"])
        try world.put("@corp/tool", ["1.0.0"])
        let outside = world.root.appending("outside")
        try world.files.createDirectories(outside)
        try world.files.write(Array("{}".utf8), to: outside.appending("package.json"))
        let manager = FileManager.default
        try manager.createSymbolicLink(atPath: world.storage.appending("linked").string, withDestinationPath: outside.string)
        try manager.createSymbolicLink(
            atPath: world.storage.appending("foo/foo-9.0.0.tgz").string, withDestinationPath: outside.appending("package.json").string)
        try world.files.createDirectories(world.storage.appending("empty"))
        try world.files.write([1], to: world.storage.appending("htpasswd"))
        try world.files.write([1], to: world.storage.appending("foo/notes.txt"))
        try world.files.write([1], to: world.storage.appending("foo/foo-1.2.0.tgz.tmp-123"))
        try world.files.write([], to: world.storage.appending("foo/package.json.lock"))
        let report = try world.scan()
        #expect(
            Set(report.findings.map { "\($0.subject) \($0.code.rawValue)" }) == [
                "linked symbolic-link", "foo/foo-9.0.0.tgz symbolic-link", "empty empty-directory", "htpasswd stray-entry",
                "foo/notes.txt stray-entry", "foo/foo-1.2.0.tgz.tmp-123 leftover",
            ])
        #expect(try world.search("") == ["@corp/tool", "foo"])
        #expect(report.totals.tarballs == 2)
    }

    @Test func `what upstream says otherwise is shown as soon as it is known`() throws {
        let world = try StorageWorld()
        try world.put("foo", ["1.1.0", "1.0.0"])
        try world.scan()
        let path = world.storage.appending("foo/package.json")
        let name = try #require(PackageName("foo"))
        let bytes = try #require(try world.files.contents(of: path, limit: 1 << 20))
        let stored = try StoredPackument(parsing: bytes, of: name)
        let upstream = JSONObject(uniqueMembers: [
            ("name", "foo"), ("dist-tags", ["latest": "1.0.0"]), ("versions", ["1.0.0": ["deprecated": "hijacked", "dist": [:]]]),
        ])
        let record = UpstreamRecord(
            url: "https://registry.example/foo", etag: nil, checked: world.now, overlay: try UpstreamOverlay(of: stored, upstream: upstream)
        )
        try world.catalog.keep([(name, record)])
        #expect(try world.scan().change.changed == 1)
        let foo = try world.detail("foo")
        #expect(foo.summary.latest == "1.0.0" && foo.versions.map(\.isWithdrawn) == [true, false])
        #expect(foo.versions.map(\.deprecated) == [nil, "hijacked"])
        #expect(try world.scan().read == 0)
    }

    @Test func `a packument with three thousand versions is kept, and one more is one more row`() throws {
        let world = try StorageWorld()
        let versions = (0..<3000).map { "1.0.\($0)" }
        try world.put("big", ["2.0.0"], knownOnly: versions)
        try world.scan()
        #expect(try world.detail("big").versions.count == 3001)
        try world.put("big", ["2.0.0"], knownOnly: versions + ["3.0.0"])
        try world.scan()
        let detail = try world.detail("big")
        #expect(detail.versions.count == 3001 + 1 && detail.versions.first?.version == "3.0.0")
        #expect(detail.versions.count { $0.firstSeen == world.now } == 1)
    }
}
