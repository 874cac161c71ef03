import Foundation
import GRDB
package import Integrity
package import PackageStore
package import Platform

/// What is kept of the storage itself: written by scans, read by everybody.
extension Catalog {
    /// A package as the scan before saw it.
    package struct Listing: Sendable {
        /// Of what was there (`PackageFacts.listing`).
        package let digest: SHA512Digest
        /// When that scan began, in nanoseconds.
        package let scannedAt: Int64
    }

    /// What a scan changed.
    package struct InventoryChange: Sendable, Equatable {
        /// Packages that were not there before.
        package var added = 0
        /// Packages of which a version, a tag or a tarball came, went or changed.
        package var changed = 0

        package init() {}
    }

    /// What is known of the packages whose `sortKey` lies between two, both included, and that have not left the storage.
    package func listings(from first: PackageName, through last: PackageName) throws -> [PackageName: Listing] {
        try read { db in
            var listings: [PackageName: Listing] = [:]
            let rows = try Row.fetchCursor(
                db.cachedStatement(
                    sql: "SELECT name, listing, scanned FROM package WHERE sort_key BETWEEN ? AND ? AND gone IS NULL"),
                arguments: [Self.key(first), Self.key(last)])
            while let row = try rows.next() {
                guard let name = PackageName(row["name"] as String), let digest = SHA512Digest(bytes: row["listing"] as Data) else {
                    continue
                }
                listings[name] = Listing(digest: digest, scannedAt: row["scanned"])
            }
            return listings
        }
    }

    /// Keeps what a scan saw; durable when it returns.
    ///
    /// What is known of a tarball's bytes stays where its identity proves that they are the same.
    package func keep(_ facts: [PackageFacts], at moment: Timestamp) throws -> InventoryChange {
        let bytes = facts.reduce(0) { $0 + 600 + 300 * $1.tarballs.count + 60 * ($1.metadata?.versions.count ?? 0) }
        return try write(bytes: Int64(bytes)) { db in
            var change = InventoryChange()
            for facts in facts { try InventoryWriter(db: db, moment: moment).keep(facts, &change) }
            return change
        }
    }

    /// The names of all packages that have not left the storage, as far as is known, sorted.
    package func inventoriedPackages() throws -> [PackageName] {
        try read { db in
            try String.fetchAll(db, sql: "SELECT name FROM package WHERE gone IS NULL ORDER BY sort_key").compactMap { PackageName($0) }
        }
    }

    /// Notes that packages have left the storage.
    package func markGone(_ packages: [PackageName], at moment: Timestamp) throws {
        guard !packages.isEmpty else { return }
        try write { db in
            for package in packages {
                guard let id = try Int64.fetchOne(db, sql: "SELECT id FROM package WHERE sort_key = ?", arguments: [Self.key(package)])
                else { continue }
                for table in ["version", "tag", "tarball", "need"] {
                    try db.execute(sql: "DELETE FROM \(table) WHERE package = ?", arguments: [id])
                }
                try db.execute(
                    sql: "UPDATE broken_archives SET state = 'cleared' WHERE package = ? AND state <> 'repaired'", arguments: [id])
                try db.execute(
                    sql: """
                        UPDATE package SET gone = ?, changed = ?, known = 0, cached = 0, tarballs = 0, bytes = 0, packument_bytes = 0,
                            broken = 0, content = NULL WHERE id = ?
                        """, arguments: [moment.nanoseconds, moment.nanoseconds, id])
            }
        }
    }

    /// Adds up what is in storage now, and keeps the sums for the history.
    package func takeTotals(at moment: Timestamp) throws -> StorageTotals {
        try write { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT count(*) AS packages, count(*) FILTER (WHERE source IN ('local', 'mixed')) AS local_packages,
                        total(known) AS versions, total(cached) AS cached, total(tarballs) AS tarballs, total(bytes) AS tarball_bytes,
                        total(packument_bytes) AS packument_bytes, total(broken) AS damaged
                    FROM package WHERE gone IS NULL
                    """)
            var totals = row.map(Self.totals) ?? StorageTotals(taken: moment)
            totals.taken = moment
            try db.execute(
                sql: "INSERT OR REPLACE INTO storage_total VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    moment.nanoseconds, totals.packages, totals.localPackages, totals.versions, totals.cachedVersions, totals.tarballs,
                    totals.tarballBytes, totals.packumentBytes, totals.damaged,
                ])
            return totals
        }
    }

    /// The sums after the scans since a moment, oldest first.
    package func totals(since moment: Timestamp) throws -> [StorageTotals] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM storage_total WHERE taken >= ? ORDER BY taken", arguments: [moment.nanoseconds])
                .map(Self.totals)
        }
    }

    private static func totals(_ row: Row) -> StorageTotals {
        var totals = StorageTotals(taken: Timestamp(nanoseconds: (row["taken"] as Int64?) ?? 0))
        totals.packages = row["packages"]
        totals.localPackages = row["local_packages"]
        totals.versions = row["versions"]
        totals.cachedVersions = row["cached"]
        totals.tarballs = row["tarballs"]
        totals.tarballBytes = row["tarball_bytes"]
        totals.packumentBytes = row["packument_bytes"]
        totals.damaged = row["damaged"]
        return totals
    }

    /// The number of a package, which is given one as gone where no scan has seen it.
    static func number(of package: PackageName, at moment: Timestamp, _ db: Database) throws -> Int64 {
        let known = try db.cachedStatement(sql: "SELECT id FROM package WHERE sort_key = ?")
        if let id = try Int64.fetchOne(known, arguments: [key(package)]) { return id }
        try db.cachedStatement(
            sql: """
                INSERT INTO package (sort_key, name, folded, base, listing, scanned, packument, packument_bytes, source, known, cached,
                    tarballs, bytes, first_seen, changed, gone)
                VALUES (?1, ?2, ?3, ?4, x'', 0, 1, 0, 'unknown', 0, 0, 0, 0, ?5, ?5, ?5)
                """
        ).execute(arguments: [key(package), package.text, package.text.lowercased(), package.base.lowercased(), moment.nanoseconds])
        let id = db.lastInsertedRowID
        try db.cachedStatement(sql: "INSERT INTO package_search (rowid, folded) VALUES (?, ?)")
            .execute(arguments: [id, package.text.lowercased()])
        return id
    }
}

/// Brings the rows of one package to what a scan saw, touching no row that is right already.
private struct InventoryWriter {
    let db: Database
    let moment: Timestamp

    func keep(_ facts: PackageFacts, _ change: inout Catalog.InventoryChange) throws {
        let id = try Catalog.number(of: facts.package, at: moment, db)
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT scanned, content, packument, gone FROM package WHERE id = ?"), arguments: [id])
        let wasGone = row?["gone"] != nil
        let content = facts.metadata?.content
        let isNewContent = content != nil && content != (row?["content"] as Data?)
        if let metadata = facts.metadata, isNewContent {
            try keep(metadata.versions, id)
            try keep(metadata.tags, id)
            try keep(metadata.needs, id)
        }
        var facts = facts
        let known = try wasGone ? [:] : tarballs(of: id)
        // A packument that cannot be read says nothing of its tarballs: what it said before holds.
        if case .unusable = facts.packument, facts.metadata == nil {
            for (index, tarball) in facts.tarballs.enumerated() {
                facts.tarballs[index].version = known[tarball.file.text]?.version
                facts.tarballs[index].declared = known[tarball.file.text]?.declared ?? DeclaredDigests()
            }
        }
        let areNewTarballs = try keep(facts.tarballs, id, known: known, scannedBefore: row?["scanned"])
        let state = facts.packument.number
        if wasGone {
            change.added += 1
        } else if isNewContent || areNewTarballs || state != row?["packument"] {
            change.changed += 1
        }
        let isChanged = wasGone || isNewContent || areNewTarballs || state != row?["packument"]
        try keepSums(facts, id, content: content, state: state, isChanged: isChanged)
    }

    private func keepSums(_ facts: PackageFacts, _ id: Int64, content: Data?, state: Int, isChanged: Bool) throws {
        if let metadata = facts.metadata {
            try db.cachedStatement(
                sql: "UPDATE package SET content = ?, source = ?, summary = ?, latest = ?, known = ?, published = ? WHERE id = ?"
            ).execute(arguments: [
                content, metadata.source.rawValue, metadata.summary, metadata.tags["latest"], metadata.versions.count,
                metadata.versions.compactMap(\.published).max()?.nanoseconds, id,
            ])
        }
        let cached = Set(facts.tarballs.compactMap(\.version)).count
        let size = facts.tarballs.reduce(0) { $0 + $1.identity.size }
        if facts.packument == .usable {
            try db.cachedStatement(
                sql: """
                    UPDATE broken_archives SET state = 'cleared'
                    WHERE package = ? AND file = 'package.json' AND state IN ('damaged', 'missing')
                    """
            ).execute(arguments: [id])
        }
        try db.cachedStatement(
            sql: """
                UPDATE package SET listing = ?2, scanned = ?3, packument = ?4, packument_error = ?5, packument_bytes = ?6, cached = ?7,
                    tarballs = ?8, bytes = ?9, gone = NULL, changed = CASE WHEN ?10 THEN ?11 ELSE changed END,
                    broken = (SELECT count(*) FROM broken_archives WHERE package = ?1 AND state IN ('damaged', 'missing'))
                WHERE id = ?1
                """
        ).execute(arguments: [
            id, Data(facts.listing.bytes), facts.scannedAt, state, facts.packument.error, facts.packumentSize, cached, facts.tarballs.count,
            size, isChanged, moment.nanoseconds,
        ])
    }

    private func keep(_ versions: [PackageFacts.Version], _ id: Int64) throws {
        var known: [String: PackageFacts.Version] = [:]
        let rows = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT version, published, deprecated, flags FROM version WHERE package = ?"), arguments: [id])
        while let row = try rows.next() {
            let flags: Int = row["flags"]
            known[row["version"]] = PackageFacts.Version(
                version: row["version"], published: (row["published"] as Int64?).map { Timestamp(nanoseconds: $0) },
                deprecated: row["deprecated"], isLocal: flags & 1 != 0, isWithdrawn: flags & 2 != 0)
        }
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO version VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT DO UPDATE SET
                    published = excluded.published, deprecated = excluded.deprecated, flags = excluded.flags, changed = excluded.changed
                """)
        for version in versions where known.removeValue(forKey: version.version) != version {
            try statement.execute(arguments: [
                id, version.version, version.published?.nanoseconds, version.deprecated,
                (version.isLocal ? 1 : 0) + (version.isWithdrawn ? 2 : 0), moment.nanoseconds,
            ])
        }
        for version in known.keys {
            try db.execute(sql: "DELETE FROM version WHERE package = ? AND version = ?", arguments: [id, version])
        }
    }

    private func keep(_ tags: [String: String], _ id: Int64) throws {
        try db.cachedStatement(sql: "DELETE FROM tag WHERE package = ?").execute(arguments: [id])
        let statement = try db.cachedStatement(sql: "INSERT INTO tag VALUES (?, ?, ?)")
        for (tag, version) in tags { try statement.execute(arguments: [id, tag, version]) }
    }

    private func keep(_ needs: [PackageNeed], _ id: Int64) throws {
        try db.cachedStatement(sql: "DELETE FROM need WHERE package = ?").execute(arguments: [id])
        let statement = try db.cachedStatement(sql: "INSERT INTO need VALUES (?, ?, ?, ?)")
        for need in needs { try statement.execute(arguments: [need.name, id, need.kind.number, need.range]) }
    }

    /// The tarballs of a package as the scan before saw them.
    private func tarballs(of id: Int64) throws -> [String: PackageFacts.Tarball] {
        var known: [String: PackageFacts.Tarball] = [:]
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: "SELECT file, version, declared, device, inode, size, modified, status_changed FROM tarball WHERE package = ?"),
            arguments: [id])
        while let row = try rows.next() {
            guard let tarball = PackageFacts.Tarball(row) else { continue }
            known[tarball.file.text] = tarball
        }
        return known
    }

    /// A tarball that is kept as it was needs the same identity, and one that was settled when it was looked at.
    ///
    /// - Parameter scannedBefore: when the scan began that saw what is known; `nil` where none did.
    /// - Returns: whether a tarball came, went or changed.
    private func keep(
        _ tarballs: [PackageFacts.Tarball], _ id: Int64, known: [String: PackageFacts.Tarball], scannedBefore: Int64?
    ) throws -> Bool {
        var known = known
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO tarball VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, NULL, NULL, NULL, ?10, ?10) ON CONFLICT DO UPDATE SET
                    version = excluded.version, declared = excluded.declared, device = excluded.device, inode = excluded.inode,
                    size = excluded.size, modified = excluded.modified, status_changed = excluded.status_changed,
                    sha512 = NULL, sha1 = NULL, checked = NULL, note = NULL, changed = CASE WHEN ?11 THEN excluded.changed ELSE changed END
                """)
        var isChanged = false
        for tarball in tarballs {
            let before = known.removeValue(forKey: tarball.file.text)
            if before == tarball, let scannedBefore, tarball.identity.isSettled(before: scannedBefore) { continue }
            if before != tarball { isChanged = true }
            let identity = tarball.identity
            try statement.execute(arguments: [
                id, tarball.file.text, tarball.version, tarball.declared.encoded, Int64(bitPattern: identity.device),
                Int64(bitPattern: identity.inode), identity.size, identity.modified, identity.changed, moment.nanoseconds,
                before != tarball,
            ])
        }
        for file in known.keys {
            isChanged = true
            try db.execute(sql: "DELETE FROM tarball WHERE package = ? AND file = ?", arguments: [id, file])
            // What a repair took away is missing still; what somebody else took away is nobody's worry.
            try db.execute(
                sql: "UPDATE broken_archives SET state = 'cleared' WHERE package = ? AND file = ? AND state = 'damaged'",
                arguments: [id, file])
        }
        return isChanged
    }
}

extension PackageFacts.Tarball {
    /// Reads `file, version, declared, device, inode, size, modified, status_changed`.
    init?(_ row: Row) {
        guard let file = FileName(row["file"] as String) else { return nil }
        let identity = FileIdentity(
            device: UInt64(bitPattern: row["device"] as Int64), inode: UInt64(bitPattern: row["inode"] as Int64), size: row["size"],
            modified: row["modified"], changed: row["status_changed"])
        self.init(
            file: file, identity: identity, version: row["version"], declared: DeclaredDigests(encoded: row["declared"]))
    }
}

extension DeclaredDigests {
    /// The digests one behind the other, whose sizes tell their kind; `nil` for none.
    fileprivate var encoded: Data? {
        var bytes: [UInt8] = sha512.isEmpty ? [1] : [2]
        for digest in sha512 { digest.append(to: &bytes) }
        for digest in sha1 { bytes += digest.bytes }
        return bytes.count == 1 ? nil : Data(bytes)
    }

    fileprivate init(encoded: Data?) {
        let bytes = Array(encoded ?? Data())
        func pieces(_ size: Int) -> [ArraySlice<UInt8>] {
            stride(from: 1, to: bytes.count - size + 1, by: size).map { bytes[$0..<($0 + size)] }
        }
        switch bytes.first {
        case 2: self.init(sha512: pieces(SHA512Digest.byteCount).compactMap { SHA512Digest(bytes: $0) })
        case 1: self.init(sha1: pieces(SHA1Digest.byteCount).compactMap { SHA1Digest(bytes: $0) })
        default: self.init()
        }
    }
}

extension PackageFacts.Packument {
    fileprivate var number: Int {
        switch self {
        case .usable: 0
        case .missing: 1
        case .unusable: 2
        }
    }

    fileprivate var error: String? {
        if case .unusable(let words) = self { words } else { nil }
    }
}

extension PackageFacts.Metadata {
    /// A digest of all that is kept of it.
    fileprivate var content: Data {
        var text = "\(source.rawValue)\u{0}\(summary ?? "")\n"
        for (tag, version) in tags.sorted(by: { $0.key < $1.key }) { text += "\(tag)\u{0}\(version)\n" }
        for need in needs { text += "\(need.name)\u{0}\(need.kind.rawValue)\u{0}\(need.range)\n" }
        for version in versions {
            text += "\(version.version)\u{0}\(version.published?.nanoseconds ?? -1)\u{0}\(version.isLocal)\u{0}\(version.isWithdrawn)"
            text += "\u{0}\(version.deprecated ?? "")\n"
        }
        return Data(SHA512.digest(of: Array(text.utf8)).bytes.prefix(32))
    }
}
