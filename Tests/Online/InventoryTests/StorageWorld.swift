import CanonicalJSON
import Catalog
import Foundation
import Integrity
import Inventory
import PackageStore
import Platform
import SystemPackage
import Testing

/// A storage and a catalog in a temporary directory, with a clock that only the test moves.
final class StorageWorld {
    let root: FilePath
    let catalog: Catalog
    let files = DiskFileSystem()
    /// What the clock says: later than any file of this test was written.
    private(set) var now = Timestamp(nanoseconds: WallClock.system.now().nanoseconds + 10_000_000_000)

    var storage: FilePath { root.appending("storage") }
    var clock: WallClock {
        let moment = now
        return WallClock { moment }
    }

    init() throws {
        root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-inventory-\(UUID().uuidString)")
        try files.createDirectories(root.appending("storage"))
        catalog = try Catalog(opening: root.appending("data.sqlite"))
    }

    deinit { try? files.removeTree(root) }

    func move(by seconds: Int64) { now.nanoseconds += seconds * 1_000_000_000 }

    @discardableResult
    func scan(at clock: WallClock? = nil) throws -> StorageScan.Report {
        move(by: 60)
        return try StorageScan(layout: StorageLayout(root: storage), catalog: catalog, clock: clock ?? self.clock).run()
    }

    /// Writes a package: these versions on disk, those only known, and local ones beside what comes from the uplink.
    ///
    /// - Parameter needs: further members of versions, such as `dependencies`.
    func put(
        _ name: String, _ versions: [String], knownOnly: [String] = [], local: [String] = [], tags: [String: String] = [:],
        deprecated: [String: String] = [:], needs: [String: JSONValue] = [:], fetched: Int = 1
    ) throws {
        let package = try #require(PackageName(name))
        let directory = storage.appending(name)
        try files.createDirectories(directory)
        var entries: [(name: String, value: JSONValue)] = []
        var distfiles: [(name: String, value: JSONValue)] = []
        var times: [(name: String, value: JSONValue)] = []
        for (number, version) in (versions + knownOnly + local).enumerated() {
            let file = "\(package.base)-\(version).tgz"
            let content = Array("\(name) \(version)".utf8)
            var entry: JSONValue = [
                "name": .string(name), "version": .string(version), "description": .string("about \(name)"),
                "dist": [
                    "integrity": .string("sha512-\(Data(SHA512.digest(of: content).bytes).base64EncodedString())"),
                    "tarball": .string("http://127.0.0.1:4873/\(name)/-/\(file)"),
                ],
            ]
            if let message = deprecated[version], var object = entry.object {
                object["deprecated"] = .string(message)
                entry = .object(object)
            }
            if let lists = needs[version], var object = entry.object {
                for (member, list) in lists.object?.members ?? [] { object[member] = list }
                entry = .object(object)
            }
            entries.append((version, entry))
            times.append((version, .string("2024-01-\(number % 18 + 10)T00:00:00.000Z")))
            if !local.contains(version) {
                distfiles.append((file, ["url": .string("https://registry.example/\(file)"), "registry": "npmjs"]))
            }
            let path = directory.appending(file)
            if !knownOnly.contains(version), try files.status(of: path) == nil { try files.write(content, to: path) }
        }
        let tags = tags.isEmpty ? ["latest": (versions + local).first ?? ""] : tags
        let isProxied = !versions.isEmpty || !knownOnly.isEmpty
        let document: JSONValue = [
            "name": .string(name), "versions": .object(JSONObject(uniqueMembers: entries)),
            "time": .object(JSONObject(uniqueMembers: times)),
            "dist-tags": .object(
                JSONObject(uniqueMembers: tags.sorted { $0.key < $1.key }.map { (name: $0.key, value: .string($0.value)) })),
            "_uplinks": isProxied ? ["npmjs": ["fetched": .integer(fetched)]] : [:],
            "_distfiles": .object(JSONObject(uniqueMembers: distfiles)), "_attachments": [:],
        ]
        try files.replace(directory.appending("package.json"), with: document.canonicalBytes)
    }

    func detail(_ name: String) throws -> PackageDetail {
        let name = try #require(PackageName(name))
        return try #require(try catalog.package(name))
    }

    /// The names that a search finds, in its order.
    func search(_ text: String, by order: PackageQuery.Order = .name, isDescending: Bool = false, limit: Int = 50, offset: Int = 0) throws
        -> [String]
    {
        var query = PackageQuery()
        query.search = text
        query.order = order
        query.isDescending = isDescending
        query.limit = limit
        query.offset = offset
        return try catalog.packages(query).elements.map(\.name)
    }
}
