import Catalog
import Foundation
import Platform
import Settings
import Synchronization
import SystemPackage
import Testing
import Upkeep

@Suite struct SpaceWatchTests {
    /// A storage and a state in a temporary directory, on disks and at moments that a test makes up.
    private final class Place {
        let root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-space-\(UUID().uuidString)")
        let files = DiskFileSystem()
        let catalog: Catalog
        let free = Mutex<Int64>(100 << 30)
        let day = Mutex<Int64>(20_000)

        var storage: FilePath { root.appending("storage") }
        var state: FilePath { root.appending("state") }

        init() throws {
            for name in ["snapshots/objects", "artifacts/b-1", "logs", "quarantine"] {
                try files.createDirectories(root.appending("state").appending(name))
            }
            for name in ["@s/foo", "bar"] { try files.createDirectories(root.appending("storage").appending(name)) }
            catalog = try Catalog(opening: root.appending("state/data.sqlite"))
        }

        deinit { try? files.removeTree(root) }

        func write(_ count: Int, to path: String) throws { try files.write([UInt8](repeating: 1, count: count), to: root.appending(path)) }

        /// - Parameter devices: the disk each directory lies on, by its last name.
        func watch(storage: Bool = true, devices: [String: UInt64] = [:]) -> SpaceWatch {
            let (free, day) = (free.withLock { $0 }, day.withLock { $0 })
            return SpaceWatch(
                state: state, storage: storage ? self.storage : nil,
                warning: OnlineSettings.SpaceLevel(daysLeft: 30), critical: OnlineSettings.SpaceLevel(daysLeft: 7),
                clock: WallClock { Timestamp(nanoseconds: day * 86_400_000_000_000) }
            ) { path in
                guard try DiskFileSystem().status(of: path) != nil else { throw FileSystemError("ask", path, .noSuchFileOrDirectory) }
                let device = devices[path.lastComponent?.string ?? ""] ?? 1
                return SpaceWatch.Answer(
                    device: device, space: FileSystemSpace(freeBytes: free / Int64(device), totalBytes: 1000 << 30))
            }
        }
    }

    @Test func `everything is counted once, links are not followed, and it is kept`() throws {
        let place = try Place()
        try place.write(1000, to: "storage/@s/foo/foo-1.0.0.tgz")
        try place.write(200, to: "storage/@s/foo/package.json")
        try place.write(30, to: "storage/.verdaccio-db.json")
        try place.write(5, to: "state/snapshots/objects/a")
        try place.write(7, to: "state/snapshots/objects/b")
        try place.write(11, to: "state/artifacts/b-1/diff.tar.zst")
        try place.write(13, to: "state/logs/check.log")
        try place.write(17, to: "state/quarantine/x")
        try place.write(19, to: "state/lock")
        for link in ["storage/link", "state/link"] {
            try FileManager.default.createSymbolicLink(atPath: place.root.appending(link).string, withDestinationPath: "/usr")
        }
        let report = try place.watch().measure(place.catalog)
        var totals = Dictionary(uniqueKeysWithValues: report.parts.map { ($0.name, $0.totals) })
        #expect(totals.removeValue(forKey: "catalog").map { $0.bytes > 0 && $0.files >= 1 } == true)
        #expect(
            totals == [
                "storage": FileTotals(files: 3, bytes: 1230), "snapshots": FileTotals(files: 2, bytes: 12),
                "artifacts": FileTotals(files: 1, bytes: 11), "logs": FileTotals(files: 1, bytes: 13),
                "quarantine": FileTotals(files: 1, bytes: 17), "other": FileTotals(files: 1, bytes: 19),
            ])
        #expect(report.unreadable == 0 && report.isKept && report.disks.map(\.holds) == [["storage", "state"]])
        let kept = try #require(try place.catalog.measurements(since: Timestamp(nanoseconds: 0)).first)
        #expect(kept.storage == FileTotals(files: 3, bytes: 1230) && kept.snapshotsBytes == 12 && kept.artifactsBytes == 11)
        #expect(kept.logsBytes == 13 && kept.stateBytes == report.parts.dropFirst().reduce(0) { $0 + $1.totals.bytes })
        #expect(kept.stateSpace == SpaceFigures(freeBytes: 100 << 30, totalBytes: 1000 << 30) && kept.storageSpace == kept.stateSpace)
        #expect(kept.taken == report.taken)
    }

    @Test func `what a scan has counted is taken, and the storage is not walked`() throws {
        let place = try Place()
        try place.write(1000, to: "storage/bar/bar-1.0.0.tgz")
        let scanned = FileTotals(files: 77, bytes: 4711)
        let report = try place.watch().measure(place.catalog, scanned: scanned)
        #expect(report.parts.first?.totals == scanned)
        #expect(try place.catalog.measurements(since: Timestamp(nanoseconds: 0)).map(\.storage) == [scanned])
    }

    @Test func `looks at free space alone are kept, and make a forecast with all others`() throws {
        let place = try Place()
        #expect(try place.watch().look(place.catalog).disks.map(\.forecast.days) == [nil])
        for step in 1...5 {
            place.day.withLock { $0 += 1 }
            place.free.withLock { $0 -= 4 << 30 }
            let report = step == 3 ? try place.watch().measure(place.catalog) : try place.watch().look(place.catalog)
            let days = try #require(report.disks.first?.forecast.days)
            #expect(abs(days - Double(25 - step)) < 0.001)
            #expect(report.level == .warning && report.disks[0].verdict.reasons.count == 1)
        }
        let kept = try place.catalog.measurements(since: Timestamp(nanoseconds: 0))
        #expect(kept.map { $0.storage == nil } == [true, true, true, false, true, true])
    }

    @Test func `disks are told apart, and each has its own forecast`() throws {
        let place = try Place()
        let devices: [String: UInt64] = ["state": 2, "artifacts": 3]
        _ = try place.watch(devices: devices).look(place.catalog)
        place.day.withLock { $0 += 10 }
        place.free.withLock { $0 -= 50 << 30 }
        let report = try place.watch(devices: devices).look(place.catalog)
        #expect(report.disks.map(\.holds) == [["storage"], ["state"], ["artifacts"]])
        #expect(report.disks.map { $0.space.freeBytes >> 30 } == [50, 25, 16])
        #expect(report.disks.map { $0.forecast.days.map { Int($0.rounded()) } } == [10, 10, nil])
        #expect(try place.watch(storage: false).look(place.catalog).disks.map(\.holds) == [["state"]])
    }

    @Test func `a storage that is not there is an error and not an empty storage`() throws {
        let place = try Place()
        try place.files.removeTree(place.storage)
        #expect(throws: FileSystemError.self) { try place.watch().measure(place.catalog) }
        #expect(try place.catalog.measurements(since: Timestamp(nanoseconds: 0)) == [])
    }

    @Test func `a disk that is too full for the record is measured all the same`() throws {
        let place = try Place()
        let full = Mutex(false)
        let catalog = try Catalog(opening: place.root.appending("state/data.sqlite")) { _ in full.withLock { $0 } ? 0 : 1 << 40 }
        _ = try place.watch().look(catalog)
        full.withLock { $0 = true }
        place.day.withLock { $0 += 2 }
        let report = try place.watch().measure(catalog)
        #expect(!report.isKept && !report.parts.isEmpty && report.disks.count == 1)
        #expect(try place.watch().measure(nil).isKept == false)
        #expect(try place.catalog.measurements(since: Timestamp(nanoseconds: 0)).count == 1)
    }
}
