import Foundation
import GRDB
import Integrity
package import PackageStore
package import Platform

/// A line of the list of packages.
package struct PackageSummary: Sendable, Hashable {
    package let name: String
    package let source: PackageSource
    /// What `latest` points at.
    package let latest: String?
    package let summary: String?
    /// Versions that the packument knows of.
    package let known: Int
    /// Versions whose tarball lies in storage.
    package let cached: Int
    /// Bytes of its tarballs.
    package let bytes: Int64
    package let packumentBytes: Int64
    /// Files known to be damaged.
    package let broken: Int
    /// When its newest version was published.
    package let published: Timestamp?
    /// The scan that saw it first.
    package let firstSeen: Timestamp
    /// The scan that last saw a version, tag or tarball come, go or change.
    package let changed: Timestamp
    /// When it had left the storage; `nil` while it is there.
    package let gone: Timestamp?
}

/// All that is known of one package.
package struct PackageDetail: Sendable, Hashable {
    package struct Version: Sendable, Hashable {
        package let version: String
        package let published: Timestamp?
        package let deprecated: String?
        package let isLocal: Bool
        package let isWithdrawn: Bool
        package let firstSeen: Timestamp
        package let changed: Timestamp
        /// `nil` where only the packument knows of it.
        package let tarball: Tarball?
    }

    package struct Tarball: Sendable, Hashable {
        package let file: String
        /// Bytes.
        package let size: Int64
        package let modified: Timestamp
        /// Measured by a check or a snapshot, in hexadecimal; `nil` before that.
        package let sha512: String?
        /// When it was last proved; `nil` before.
        package let checked: Timestamp?
        /// The kind of its damage; `nil` where none is known.
        package let damage: String?
        package let firstSeen: Timestamp
        /// The sequences of the bundles that carried it.
        package let bundles: [Int64]
    }

    package let summary: PackageSummary
    package let tags: [String: String]
    /// Newest first.
    package let versions: [Version]
    /// Tarballs that no version names.
    package let unnamed: [Tarball]
    /// The sequences of the bundles that carried its packument.
    package let bundles: [Int64]
    /// Why its packument cannot be used; `nil` where it can.
    package let packumentError: String?
}

/// Which packages are listed, and in what order.
package struct PackageQuery: Sendable {
    /// What they are sorted by; ties by name.
    package enum Order: String, Sendable, CaseIterable {
        case name, latest, source, known, cached, bytes, broken, published, changed
        case firstSeen = "first-seen"

        var column: String {
            switch self {
            case .name: "folded"
            case .firstSeen: "first_seen"
            default: rawValue
            }
        }
    }

    /// What people type: a part of the name, in any case; less than three characters find names, and names behind a scope, that begin so.
    package var search = ""
    /// Only those that come from there.
    package var source: PackageSource?
    /// Only those with damaged files, or only those without.
    package var isDamaged: Bool?
    package var order = Order.name
    package var isDescending = false
    package var offset = 0
    /// At most 1,000.
    package var limit = 50

    package init() {}
}

/// A page of a list, and how long the whole is.
package struct Page<Element: Sendable>: Sendable {
    package let elements: [Element]
    package let total: Int
}

extension Catalog {
    /// The packages in storage that a query asks for, as they are when it is asked.
    package func packages(_ query: PackageQuery) throws -> Page<PackageSummary> {
        try read { db in
            if let roster = try roster.roster(db) {
                let (ids, total) = try roster.page(query, db)
                return Page(elements: try Self.summaries(of: ids, db), total: total)
            }
            let (sql, values) = Self.page(query)
            let rows = try Row.fetchAll(
                db.cachedStatement(sql: sql),
                arguments: StatementArguments(values + [min(max(query.limit, 0), 1000), max(query.offset, 0)]))
            // A search counts what it has found; behind the last page nothing says so.
            let counted: Int? = rows.first?["total"]
            return Page(elements: rows.map(PackageSummary.init), total: try counted ?? Self.count(query, db))
        }
    }

    /// Holds the packages in memory, as lists and searches go through them, so that the first who ask need not wait for that.
    package func holdPackages() throws {
        try read { db in
            // It is made for whoever asks a second time.
            for _ in 1...2 { try roster.roster(db)?.prepare(db) }
        }
    }

    /// How often the packages were gone through to hold what lists need; for tests that argue that it is seldom.
    package var rostersMade: Int { roster.made }

    private static func summaries(of ids: [Int64], _ db: Database) throws -> [PackageSummary] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT name, source, latest, summary, known, cached, bytes, packument_bytes, broken, published, first_seen, changed, gone
                FROM package WHERE id = ?
                """)
        return try ids.compactMap { try Row.fetchOne(statement, arguments: [$0]).map(PackageSummary.init) }
    }

    /// How SQLite would answer a query; for tests that argue the indexes.
    package func plan(of query: PackageQuery) throws -> [String] {
        let (sql, values) = Self.page(query)
        return try read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(sql)", arguments: StatementArguments(values + [50, 0])).map { $0["detail"] }
        }
    }

    private typealias Condition = (sql: String, values: [any DatabaseValueConvertible])

    /// The rows of a page are read when it is known which they are: what is passed over is passed over in an index, which has all that
    /// is asked for, or in what a search has found.
    private static func page(_ query: PackageQuery) -> Condition {
        let (conditions, values) = conditions(query)
        let direction = query.isDescending ? "DESC" : "ASC"
        let order = "ORDER BY \(query.order.column) \(direction), name \(direction)"
        guard let (found, words) = search(query.search) else {
            let ids = """
                SELECT id FROM package INDEXED BY package_in_order_of_\(query.order.column) WHERE gone IS NULL\(conditions) \(order)
                LIMIT ? OFFSET ?
                """
            return ("SELECT *, NULL AS total FROM package WHERE id IN (\(ids)) \(order)", values)
        }
        let hits = "FROM found CROSS JOIN package ON package.id = found.id WHERE gone IS NULL\(conditions)"
        // What has left the storage is little, and is found by its name all the same.
        let left = "SELECT count(*) FROM package INDEXED BY package_gone WHERE gone IS NOT NULL AND id IN (SELECT id FROM found)"
        let total = conditions.isEmpty ? "(SELECT count(*) FROM found) - (\(left))" : "(SELECT count(*) \(hits))"
        return (
            """
            WITH found (id) AS MATERIALIZED (\(found))
            SELECT *, \(total) AS total FROM package WHERE id IN (SELECT package.id \(hits) \(order) LIMIT ? OFFSET ?) \(order)
            """, words + values + values
        )
    }

    private static func count(_ query: PackageQuery, _ db: Database) throws -> Int {
        let (conditions, values) = conditions(query)
        if query.search.isEmpty, conditions.isEmpty {
            // SQLite counts a whole table by its pages.
            let gone = "SELECT count(*) FROM package INDEXED BY package_gone WHERE gone IS NOT NULL"
            return try Int.fetchOne(db.cachedStatement(sql: "SELECT (SELECT count(*) FROM package) - (\(gone))")) ?? 0
        }
        let (source, words) =
            search(query.search).map { ("package WHERE gone IS NULL AND id IN (\($0.sql))", $0.values) }
            ?? ("package INDEXED BY package_in_order_of_source WHERE gone IS NULL", [])
        return try Int.fetchOne(
            db.cachedStatement(sql: "SELECT count(*) FROM \(source)\(conditions)"), arguments: StatementArguments(words + values)) ?? 0
    }

    /// What is asked beside what was typed.
    private static func conditions(_ query: PackageQuery) -> Condition {
        var (sql, values): Condition = ("", [])
        if let source = query.source {
            sql += " AND source = ?"
            values.append(source.rawValue)
        }
        if let isDamaged = query.isDamaged { sql += isDamaged ? " AND broken > 0" : " AND broken = 0" }
        return (sql, values)
    }

    /// The ids of the packages that what was typed names, some of which may have left the storage; `nil` where nothing was.
    private static func search(_ search: String) -> Condition? {
        let typed = search.lowercased()
        guard !typed.isEmpty else { return nil }
        guard typed.count >= 3 else {
            // No name has a character above those.
            let end = typed + "\u{10FFFF}"
            return (
                """
                SELECT id FROM package WHERE gone IS NULL AND folded BETWEEN ? AND ?
                UNION SELECT id FROM package WHERE gone IS NULL AND base BETWEEN ? AND ?
                """, [typed, end, typed, end]
            )
        }
        // A text to SQLite's search ends where a zero stands, and no name has one.
        guard !typed.contains("\0") else { return ("SELECT id FROM package WHERE 0", []) }
        let phrase = "\"\(typed.replacingOccurrences(of: "\"", with: "\"\""))\""
        return ("SELECT rowid AS id FROM package_search WHERE package_search MATCH ?", [phrase])
    }

    /// All that is known of a package; `nil` where nothing is.
    package func package(_ name: PackageName) throws -> PackageDetail? {
        try read { db in
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM package WHERE sort_key = ?", arguments: [Self.key(name)]) else {
                return nil
            }
            let id: Int64 = row["id"]
            var carried: [String: [Int64]] = [:]
            for row in try Row.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT file, sequence FROM carried JOIN bundle ON number = bundle WHERE package = ? ORDER BY file, sequence
                    """, arguments: [id])
            {
                carried[row["file"], default: []].append(row["sequence"])
            }
            var named: [String: PackageDetail.Tarball] = [:]
            var unnamed: [PackageDetail.Tarball] = []
            let tarballs = try Row.fetchAll(
                db,
                sql: """
                    SELECT tarball.*, broken_archives.kind FROM tarball LEFT JOIN broken_archives
                        ON broken_archives.package = tarball.package AND broken_archives.file = tarball.file AND state = 'damaged'
                    WHERE tarball.package = ? ORDER BY tarball.file
                    """, arguments: [id])
            for row in tarballs {
                let tarball = PackageDetail.Tarball(row, bundles: carried[row["file"]] ?? [])
                if let version = row["version"] as String? { named[version] = tarball } else { unnamed.append(tarball) }
            }
            let versions = try Row.fetchAll(db, sql: "SELECT * FROM version WHERE package = ?", arguments: [id]).map { row in
                PackageDetail.Version(row, tarball: named[row["version"]])
            }
            let tags = try Row.fetchAll(db, sql: "SELECT tag, version FROM tag WHERE package = ?", arguments: [id])
            return PackageDetail(
                summary: PackageSummary(row), tags: Dictionary(uniqueKeysWithValues: tags.map { ($0["tag"], $0["version"]) }),
                versions: versions.sorted { left, right in
                    guard let left = PackageVersion(left.version), let right = PackageVersion(right.version) else { return false }
                    return right < left
                }, unnamed: unnamed, bundles: carried["package.json"] ?? [],
                packumentError: row["packument"] == 1 ? "it is missing" : row["packument_error"])
        }
    }
}

extension PackageSummary {
    fileprivate init(_ row: Row) {
        self.init(
            name: row["name"], source: PackageSource(rawValue: row["source"]) ?? .unknown, latest: row["latest"], summary: row["summary"],
            known: row["known"], cached: row["cached"], bytes: row["bytes"], packumentBytes: row["packument_bytes"], broken: row["broken"],
            published: Timestamp(row["published"]), firstSeen: Timestamp(nanoseconds: row["first_seen"]),
            changed: Timestamp(nanoseconds: row["changed"]), gone: Timestamp(row["gone"]))
    }
}

extension PackageDetail.Version {
    fileprivate init(_ row: Row, tarball: PackageDetail.Tarball?) {
        let flags: Int = row["flags"]
        self.init(
            version: row["version"], published: Timestamp(row["published"]), deprecated: row["deprecated"], isLocal: flags & 1 != 0,
            isWithdrawn: flags & 2 != 0, firstSeen: Timestamp(nanoseconds: row["first_seen"]),
            changed: Timestamp(nanoseconds: row["changed"]), tarball: tarball)
    }
}

extension PackageDetail.Tarball {
    fileprivate init(_ row: Row, bundles: [Int64]) {
        self.init(
            file: row["file"], size: row["size"], modified: Timestamp(nanoseconds: row["modified"]),
            sha512: (row["sha512"] as Data?).flatMap { SHA512Digest(bytes: $0)?.hex }, checked: Timestamp(row["checked"]),
            damage: row["kind"], firstSeen: Timestamp(nanoseconds: row["first_seen"]), bundles: bundles)
    }
}

extension Timestamp {
    init?(_ nanoseconds: Int64?) {
        guard let nanoseconds else { return nil }
        self.init(nanoseconds: nanoseconds)
    }
}
