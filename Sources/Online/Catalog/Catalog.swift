package import BundleFormat
import Databases
import Foundation
import GRDB
package import Integrity
package import PackageStore
package import Platform
package import Snapshots
package import SystemPackage

/// The online side's database, `data.sqlite`: records of scans, what upstream says, bundles that were made, who this origin is.
///
/// Several processes may use it at once. Every change is durable when its call returns. Nothing of GRDB leaves this module.
package final class Catalog: Sendable {
    private let file: DatabaseFile
    let roster: PackageRoster.Keeper

    /// The form that this program brings a catalog to.
    package static var form: String { DatabaseMigrator.catalog.newestForm }

    /// Opens the database, creating it and bringing it up to date where needed.
    ///
    /// - Parameters:
    ///   - patience: seconds that a database is waited for which another process has locked.
    ///   - packagesHeld: how many packages at most are held in memory for lists and searches, at 80 bytes each.
    ///   - freeBytes: asks how much the disk that holds a directory still takes; a test gives its own answer.
    /// - Throws: `DatabaseFileError`, as every call that follows.
    package init(
        opening path: FilePath, patience: Double = 10, packagesHeld: Int = 500_000,
        freeBytes: @escaping @Sendable (FilePath) throws -> Int64 = { try FileSystemSpace(holding: $0).freeBytes }
    ) throws {
        roster = PackageRoster.Keeper(limit: packagesHeld)
        file = try DatabaseFile(opening: path, migrator: .catalog, patience: patience, freeBytes: freeBytes)
    }

    func read<Result>(_ body: (Database) throws -> Result) throws -> Result { try file.read(body) }

    func write<Result>(bytes: Int64 = 0, _ change: (Database) throws -> Result) throws -> Result { try file.write(bytes: bytes, change) }

    /// Who this origin is.
    ///
    /// The id is kept when it is first asked for and never changes.
    ///
    /// - Parameters:
    ///   - former: who made what is there already, and by how much its sequences were ahead of its snapshots' counters, for a catalog that
    ///     was lost; asked only where nothing is kept. The origin goes on as that one.
    ///   - random: makes 20 bytes for a new id.
    package func origin(
        former: () throws -> (origin: Identifier, base: Int64)? = { nil }, random: () -> [UInt8]
    ) throws -> Identifier {
        func kept(_ db: Database) throws -> String? { try String.fetchOne(db, sql: "SELECT value FROM setting WHERE name = 'origin'") }
        let text =
            try file.read { try kept($0) }
            ?? {
                let former = try former()
                let origin = former?.origin ?? Identifier(.origin, random: random())
                return try write { db in
                    try db.execute(sql: "INSERT INTO setting VALUES ('origin', ?) ON CONFLICT DO NOTHING", arguments: [origin.text])
                    if let former {
                        try db.execute(
                            sql: "INSERT INTO setting VALUES ('sequence.base', ?) ON CONFLICT DO NOTHING", arguments: ["\(former.base)"])
                    }
                    return try kept(db)
                }
            }()
        guard let origin = text.flatMap({ Identifier($0, .origin) }) else { throw DatabaseFileError.damaged("the origin's id") }
        return origin
    }

    /// The sequence of the bundles that lead to a snapshot: it grows with the snapshot's counter.
    package func sequence(of snapshot: SnapshotHeader) throws -> Int64 {
        let base = try read { try String.fetchOne($0, sql: "SELECT value FROM setting WHERE name = 'sequence.base'") }
        return (base.flatMap { Int64($0) } ?? 0) + snapshot.counter
    }

    /// Lets the sequences of all snapshots be so much greater from now on; bundles that were made keep theirs.
    package func raiseSequences(by count: Int64) throws {
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO setting VALUES ('sequence.base', ?)
                    ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + ? AS TEXT)
                    """, arguments: ["\(count)", count])
        }
    }

    /// Keeps a bundle that was written.
    ///
    /// - Parameter files: hands over the path of every file in it, those of one package together.
    package func add(
        _ bundle: BundleRecord, carrying files: (_ add: (StorePath) throws -> Void) throws -> Void = { _ in }
    ) throws {
        try write(bytes: Int64(bundle.counts.files) * 60) { db in
            let counts = bundle.counts
            try db.execute(
                sql: """
                    INSERT INTO bundle (
                        sequence, id, label, created, destination, baseline, target, target_root, files, bytes, packages, removed,
                        size_bytes, keys
                    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    bundle.sequence, bundle.id.text, bundle.label, bundle.created.description, bundle.destination.description,
                    bundle.baseline?.text, bundle.target.text, bundle.targetRoot.hex, counts.files, counts.bytes, counts.packages,
                    counts.removed, bundle.size, bundle.keys.joined(separator: " "),
                ])
            let number = db.lastInsertedRowID
            let statement = try db.cachedStatement(sql: "INSERT INTO carried VALUES (?, ?, ?)")
            var package: (name: PackageName, number: Int64)?
            try files { path in
                if package?.name != path.package {
                    package = (path.package, try Self.number(of: path.package, at: bundle.created, db))
                }
                try statement.execute(arguments: [package?.number, path.file.text, number])
            }
        }
    }

    /// Notes that a bundle's archive is about to be removed; the bundle stays recorded, and a second note changes nothing.
    package func markPruned(_ bundle: Identifier, at moment: Timestamp) throws {
        try write { db in
            try db.execute(
                sql: "UPDATE bundle SET pruned = ? WHERE id = ? AND pruned IS NULL", arguments: [moment.nanoseconds, bundle.text])
        }
    }

    /// The bundles that were made, newest first.
    package func bundles() throws -> [BundleRecord] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM bundle ORDER BY number DESC").compactMap(Self.bundle)
        }
    }

    /// A page of the bundles that were made.
    ///
    /// - Parameter destination: only those for it; `nil` for all.
    package func bundles(
        for destination: BundleDestination? = nil, oldestFirst: Bool = false, offset: Int, limit: Int
    ) throws -> Page<BundleRecord> {
        let filter = destination == nil ? "" : " WHERE destination = ?"
        let values: StatementArguments = destination.map { [$0.description] } ?? []
        return try read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM bundle\(filter) ORDER BY number \(oldestFirst ? "ASC" : "DESC") LIMIT ? OFFSET ?",
                arguments: values + [max(limit, 0), max(offset, 0)])
            let total = try Int.fetchOne(db, sql: "SELECT count(*) FROM bundle\(filter)", arguments: values)
            return Page(elements: rows.compactMap(Self.bundle), total: total ?? 0)
        }
    }

    /// A bundle that was made; `nil` where there is none of that id.
    package func bundle(_ id: Identifier) throws -> BundleRecord? {
        try read { db in try Row.fetchOne(db, sql: "SELECT * FROM bundle WHERE id = ?", arguments: [id.text]).flatMap(Self.bundle) }
    }

    /// The bundles of these sequences, oldest first.
    package func bundles(of sequences: Set<Int64>) throws -> [BundleRecord] {
        let list = sequences.sorted().map(String.init).joined(separator: ", ")
        return try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM bundle WHERE sequence IN (\(list)) ORDER BY number").compactMap(Self.bundle)
        }
    }

    /// Whom bundles were made for, by name, each with how many and the newest.
    package func destinations() throws -> [(destination: BundleDestination, bundles: Int, newest: BundleRecord)] {
        try read { db in
            // The other columns are those of the row that has the maximum.
            try Row.fetchAll(
                db, sql: "SELECT *, count(*) AS bundles, max(number) FROM bundle GROUP BY destination ORDER BY destination"
            ).compactMap { row in Self.bundle(row).map { ($0.destination, row["bundles"], $0) } }
        }
    }

    /// What was learnt of a package from its upstream; `nil` where it was never asked.
    package func upstream(of package: PackageName) throws -> UpstreamRecord? {
        try read { db in
            let row = try Row.fetchOne(
                db.cachedStatement(sql: "SELECT url, etag, checked, overlay FROM upstream WHERE sort_key = ?"),
                arguments: [Self.key(package)])
            guard let row else { return nil }
            return UpstreamRecord(
                url: row["url"], etag: row["etag"], checked: Timestamp(nanoseconds: row["checked"]),
                overlay: try Self.overlay(row["overlay"], of: package.text))
        }
    }

    /// Keeps what was learnt from upstream, replacing what was known before.
    package func keep(_ records: [(PackageName, UpstreamRecord)]) throws {
        let rows = records.map { package, record in
            (key: Self.key(package), record: record, overlay: record.overlay.isEmpty ? nil : Data(record.overlay.encoded))
        }
        let bytes = rows.reduce(0) { $0 + $1.key.count + $1.record.url.utf8.count + ($1.overlay?.count ?? 0) }
        try write(bytes: Int64(bytes)) { db in
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO upstream VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                        url = excluded.url, etag = excluded.etag, checked = excluded.checked, overlay = excluded.overlay
                    """)
            for (key, record, overlay) in rows {
                try statement.execute(arguments: [key, record.url, record.etag, record.checked.nanoseconds, overlay])
            }
        }
    }

    /// An overlay that cannot be read is no reason to go on without it: what it holds back would travel.
    private static func overlay(_ bytes: Data?, of package: String) throws -> UpstreamOverlay {
        guard let bytes else { return UpstreamOverlay() }
        do { return try UpstreamOverlay(decoding: Array(bytes)) } catch {
            throw DatabaseFileError.damaged("what upstream says of \(package); \(error)")
        }
    }

    private static func bundle(_ row: Row) -> BundleRecord? {
        guard let id = Identifier(row["id"] as String, .bundle), let created = Timestamp(row["created"] as String),
            let destination = BundleDestination(row["destination"] as String), let target = SnapshotID(row["target"] as String),
            let root = SHA512Digest(hex: row["target_root"] as String)
        else { return nil }
        return BundleRecord(
            number: row["number"], id: id, label: row["label"], created: created, destination: destination, sequence: row["sequence"],
            baseline: (row["baseline"] as String?).flatMap { SnapshotID($0) }, target: target, targetRoot: root,
            counts: BundleCounts(files: row["files"], bytes: row["bytes"], packages: row["packages"], removed: row["removed"]),
            size: row["size_bytes"], keys: (row["keys"] as String).split(separator: " ").map(String.init),
            pruned: (row["pruned"] as Int64?).map { Timestamp(nanoseconds: $0) })
    }
}

extension Catalog: ScanRecords {
    package func records(from first: PackageName, through last: PackageName) throws -> [PackageName: [UInt8]] {
        try read { db in
            var records: [PackageName: [UInt8]] = [:]
            let rows = try Row.fetchCursor(
                db.cachedStatement(sql: "SELECT sort_key, record FROM scan_record WHERE sort_key BETWEEN ? AND ?"),
                arguments: [Self.key(first), Self.key(last)])
            while let row = try rows.next() {
                let text = try row.withUnsafeData(atIndex: 0) { String(decoding: ($0 ?? Data()).dropLast(), as: UTF8.self) }
                if let name = PackageName(text) { records[name] = try row.withUnsafeData(atIndex: 1) { Array($0 ?? Data()) } }
            }
            return records
        }
    }

    package func overlays(from first: PackageName, through last: PackageName) throws -> [PackageName: UpstreamOverlay] {
        try read { db in
            var overlays: [PackageName: UpstreamOverlay] = [:]
            let rows = try Row.fetchCursor(
                db.cachedStatement(
                    sql: "SELECT sort_key, overlay FROM upstream WHERE sort_key BETWEEN ? AND ? AND overlay IS NOT NULL"),
                arguments: [Self.key(first), Self.key(last)])
            while let row = try rows.next() {
                let text = String(decoding: (row["sort_key"] as Data).dropLast(), as: UTF8.self)
                if let name = PackageName(text) { overlays[name] = try Self.overlay(row["overlay"], of: text) }
            }
            return overlays
        }
    }

    package func keep(_ records: [(PackageName, PackageRecord)]) throws {
        let encoded = records.map { (Self.key($0.0), Data($0.1.encoded)) }
        try write(bytes: encoded.reduce(0) { $0 + Int64($1.0.count + $1.1.count) }) { db in
            let statement = try db.cachedStatement(
                sql: "INSERT INTO scan_record VALUES (?, ?) ON CONFLICT DO UPDATE SET record = excluded.record")
            for (key, record) in encoded { try statement.execute(arguments: [key, record]) }
        }
    }

    /// Hands over the transfer form of every package that the last scan for a snapshot saw.
    package func forEachForm(_ body: (SHA512Digest) throws -> Void) throws {
        try file.read { db in
            let rows = try Row.fetchCursor(db, sql: "SELECT record FROM scan_record")
            while let row = try rows.next() {
                let form = try row.withUnsafeData(atIndex: 0) { PackageRecord.form(decoding: Array($0 ?? Data())) }
                if let form { try body(form.digest) }
            }
        }
    }

    static func key(_ name: PackageName) -> Data { Data(name.sortKey.utf8) }
}
