import Foundation
import GRDB
package import Integrity
package import PackageStore
package import Platform
package import Snapshots

/// What checks found and repairs did.
extension Catalog {
    /// How much there is to check: the tarballs that were not proved since they were last touched; with `all`, every one.
    package func checkWork(all: Bool) throws -> (tarballs: Int, bytes: Int64) {
        try read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT count(*) AS tarballs, total(size) AS bytes FROM tarball\(all ? "" : " WHERE checked IS NULL")")
            return (row?["tarballs"] ?? 0, row?["bytes"] ?? 0)
        }
    }

    /// The next tarballs behind a cursor, of those that `checkWork` counts.
    ///
    /// - Parameter limit: how many at most.
    package func checkCandidates(after cursor: CheckCursor, all: Bool, limit: Int) throws -> [CheckCandidate] {
        try read { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT name, tarball.* FROM tarball JOIN package ON package.id = tarball.package
                        WHERE (tarball.package, file) > (?, ?)\(all ? "" : " AND checked IS NULL") ORDER BY tarball.package, file LIMIT ?
                        """), arguments: [cursor.package, cursor.file, limit]
            ).compactMap { row in
                guard let name = PackageName(row["name"] as String), let tarball = PackageFacts.Tarball(row) else { return nil }
                return CheckCandidate(
                    path: StorePath(name, tarball.file), identity: tarball.identity, version: tarball.version, declared: tarball.declared,
                    cursor: CheckCursor(package: row["package"], file: tarball.file.text))
            }
        }
    }

    /// Keeps what was found of tarballs.
    ///
    /// Durable when it returns. A tarball that a scan has seen otherwise meanwhile is passed over.
    package func keep(_ results: [CheckResult], at moment: Timestamp) throws {
        guard !results.isEmpty else { return }
        try write(bytes: Int64(results.count * 300)) { db in
            var packages: Set<Int64> = []
            for result in results where try keep(result, moment, db) { packages.insert(result.candidate.cursor.package) }
            for package in packages { try Self.countBroken(package, db) }
        }
    }

    /// - Returns: whether something is, or was, wrong with the tarball.
    private func keep(_ result: CheckResult, _ moment: Timestamp, _ db: Database) throws -> Bool {
        let (candidate, identity) = (result.candidate, result.candidate.identity)
        let (package, file) = (candidate.cursor.package, candidate.path.file.text)
        try db.cachedStatement(
            sql: """
                UPDATE tarball SET sha512 = ?, sha1 = ?, checked = ?, note = ?
                WHERE package = ? AND file = ? AND inode = ? AND size = ? AND modified = ? AND status_changed = ?
                """
        ).execute(arguments: [
            Data(result.proof.sha512.bytes), result.proof.sha1.map { Data($0.bytes) }, moment.nanoseconds, result.note, package, file,
            Int64(bitPattern: identity.inode), identity.size, identity.modified, identity.changed,
        ])
        guard db.changesCount > 0 else { return false }
        if let damage = result.damage {
            try Self.keepBroken(
                package, file, version: candidate.version, damage, sha512: result.proof.sha512, size: identity.size, moment, db)
            return true
        }
        // One that no version names stays listed, whatever its bytes.
        guard candidate.version != nil else { return false }
        try db.cachedStatement(
            sql:
                "UPDATE broken_archives SET state = 'cleared', checked = ? WHERE package = ? AND file = ? AND state IN ('damaged', 'missing')"
        ).execute(arguments: [moment.nanoseconds, package, file])
        return db.changesCount > 0
    }

    /// Notes what is wrong beside the bytes of tarballs: packuments that cannot be used, and tarballs that none names.
    package func keepUnnamed(at moment: Timestamp) throws {
        try write { db in
            try Self.keepStayed(db)
            let packuments = try Row.fetchAll(
                db, sql: "SELECT id, packument_bytes, packument_error FROM package WHERE packument <> 0 AND gone IS NULL AND packument = 2")
            for row in packuments {
                let damage = Damage(.packumentUnreadable, row["packument_error"] ?? "")
                try Self.keepBroken(
                    row["id"], "package.json", version: nil, damage, sha512: nil, size: row["packument_bytes"], moment, db)
                try Self.countBroken(row["id"], db)
            }
            let tarballs = try Row.fetchAll(
                db,
                sql: """
                    SELECT tarball.package, tarball.file, tarball.size, tarball.sha512, package.packument, broken_archives.kind
                    FROM tarball JOIN package ON package.id = tarball.package
                        LEFT JOIN broken_archives ON broken_archives.package = tarball.package AND broken_archives.file = tarball.file
                            AND broken_archives.state = 'damaged'
                    WHERE tarball.version IS NULL AND package.packument <> 2
                    """)
            for row in tarballs {
                // Bytes that are damaged in themselves are the worse news.
                let known = (row["kind"] as String?).flatMap { DamageKind(rawValue: $0) }
                if let known, known != .orphan, known != .noPackumentEntry { continue }
                let damage =
                    row["packument"] == 1
                    ? Damage(.orphan, "there is no package.json beside it")
                    : Damage(.noPackumentEntry, "the packument has no version of that file")
                try Self.keepBroken(
                    row["package"], row["file"], version: nil, damage, sha512: (row["sha512"] as Data?).flatMap { SHA512Digest(bytes: $0) },
                    size: row["size"], moment, db)
                try Self.countBroken(row["package"], db)
            }
        }
    }

    /// A repair that was killed may have left a file that it had noted as taken away already.
    private static func keepStayed(_ db: Database) throws {
        let stayed = """
            state = 'missing' AND EXISTS (SELECT 1 FROM tarball WHERE tarball.package = broken_archives.package
                AND tarball.file = broken_archives.file AND tarball.sha512 = broken_archives.sha512)
            """
        try db.execute(sql: "UPDATE broken_archives SET state = 'damaged' WHERE \(stayed)")
    }

    private static func keepBroken(
        _ package: Int64, _ file: String, version: String?, _ damage: Damage, sha512: SHA512Digest?, size: Int64,
        _ moment: Timestamp, _ db: Database
    ) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO broken_archives (package, file, version, kind, message, sha512, size, found, checked, state)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 'damaged') ON CONFLICT DO UPDATE SET
                    version = coalesce(excluded.version, version), kind = excluded.kind, message = excluded.message, sha512 = excluded.sha512,
                    size = excluded.size, checked = excluded.checked, found = CASE state WHEN 'damaged' THEN found ELSE excluded.found END,
                    state = 'damaged', is_gone_upstream = CASE state WHEN 'damaged' THEN is_gone_upstream ELSE 0 END
                """
        ).execute(arguments: [
            package, file, version, damage.kind.rawValue, damage.words, sha512.map { Data($0.bytes) }, size, moment.nanoseconds,
        ])
    }

    private static func countBroken(_ package: Int64, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                UPDATE package SET broken = (SELECT count(*) FROM broken_archives WHERE package = ?1 AND state IN ('damaged', 'missing'))
                WHERE id = ?1
                """
        ).execute(arguments: [package])
    }

    /// What is, or was, damaged, in these states, by path.
    package func brokenArchives(_ states: Set<BrokenArchive.State> = BrokenArchive.State.open) throws -> [BrokenArchive] {
        var query = BrokenArchiveQuery()
        query.states = states
        query.limit = nil
        return try brokenArchives(query).elements
    }

    /// A page of what is, or was, damaged.
    package func brokenArchives(_ query: BrokenArchiveQuery) throws -> Page<BrokenArchive> {
        let words = query.states.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
        let kind = query.kind.map { " AND kind = '\($0.rawValue)'" } ?? ""
        let direction = query.isDescending ? "DESC" : "ASC"
        let order = query.order.columns.map { "\($0) \(direction)" }.joined(separator: ", ")
        return try read { db in
            let total = try Int.fetchOne(db, sql: "SELECT count(*) FROM broken_archives WHERE state IN (\(words))\(kind)") ?? 0
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT name, broken_archives.* FROM broken_archives JOIN package ON package.id = broken_archives.package
                    WHERE state IN (\(words))\(kind) ORDER BY \(order) LIMIT ? OFFSET ?
                    """, arguments: [query.limit.map { max($0, 0) } ?? -1, max(query.offset, 0)])
            let elements = try rows.compactMap { row in
                let attempts = try Row.fetchAll(
                    db.cachedStatement(sql: "SELECT * FROM repair_attempt WHERE broken = ? ORDER BY id"), arguments: [row["id"] as Int64])
                return BrokenArchive(row, attempts: attempts.map(BrokenArchive.Attempt.init))
            }
            return Page(elements: elements, total: total)
        }
    }

    /// Notes that a damaged file is about to be taken out of the storage, and where its copy lies.
    ///
    /// Durable when it returns: whatever happens then, the file is known to be missing.
    package func noteTaken(_ archive: BrokenArchive, quarantined: String) throws {
        try write { db in
            try db.execute(
                sql: "UPDATE broken_archives SET state = 'missing', quarantined = ? WHERE id = ?", arguments: [quarantined, archive.id])
        }
    }

    /// Keeps one try to repair a file, and what has become of the file.
    ///
    /// - Parameter quarantined: where the damaged copy is kept; `nil` where there is none any more.
    package func keep(
        _ attempt: BrokenArchive.Attempt, of archive: BrokenArchive, state: BrokenArchive.State, quarantined: String?, isGoneUpstream: Bool
    ) throws {
        try write { db in
            try db.execute(
                sql: "INSERT INTO repair_attempt (broken, began, ended, outcome, reason) VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    archive.id, attempt.began.nanoseconds, attempt.ended.nanoseconds, attempt.isRepaired ? "repaired" : "failed",
                    attempt.reason,
                ])
            try db.execute(
                sql: "UPDATE broken_archives SET state = ?, quarantined = ?, is_gone_upstream = ?, checked = ? WHERE id = ?",
                arguments: [state.rawValue, quarantined, isGoneUpstream, attempt.ended.nanoseconds, archive.id])
            if let package = try Int64.fetchOne(db, sql: "SELECT package FROM broken_archives WHERE id = ?", arguments: [archive.id]) {
                try Self.countBroken(package, db)
            }
        }
    }

    /// The files that lie damaged in storage, as they were when that was seen.
    package func damagedTarballs() throws -> [StorePath: FileIdentity] {
        try read { db in
            var damaged: [StorePath: FileIdentity] = [:]
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT name, tarball.* FROM broken_archives
                        JOIN tarball ON tarball.package = broken_archives.package AND tarball.file = broken_archives.file
                        JOIN package ON package.id = broken_archives.package
                    WHERE tarball.checked IS NOT NULL
                        AND (state = 'damaged' OR state = 'missing' AND tarball.sha512 = broken_archives.sha512)
                    """)
            for row in rows {
                guard let name = PackageName(row["name"] as String), let tarball = PackageFacts.Tarball(row) else { continue }
                damaged[StorePath(name, tarball.file)] = tarball.identity
            }
            return damaged
        }
    }

    /// The files that repairs have taken out of the storage and not replaced.
    package func takenAway() throws -> Set<StorePath> {
        try read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT name, file FROM broken_archives JOIN package ON package.id = broken_archives.package WHERE state = 'missing'
                    """)
            return Set(
                rows.compactMap { row in
                    guard let name = PackageName(row["name"] as String), let file = FileName(row["file"] as String) else { return nil }
                    return StorePath(name, file)
                })
        }
    }

    /// The digests of bytes that are known to be damaged, in storage or in quarantine.
    package func damagedDigests() throws -> Set<SHA512Digest> {
        try read { db in
            Set(
                try Data.fetchAll(
                    db,
                    sql: """
                        SELECT sha512 FROM broken_archives WHERE sha512 IS NOT NULL AND state <> 'cleared'
                            AND kind NOT IN ('orphan', 'no-packument-entry')
                        """
                ).compactMap { SHA512Digest(bytes: $0) })
        }
    }

    /// What was measured of the tarballs of packages whose `sortKey` lies between two, both included.
    package func proofs(from first: PackageName, through last: PackageName) throws -> [StorePath: KnownProof] {
        try read { db in
            var proofs: [StorePath: KnownProof] = [:]
            let rows = try Row.fetchCursor(
                db.cachedStatement(
                    sql: """
                        SELECT name, scanned, tarball.* FROM package JOIN tarball ON tarball.package = package.id
                        WHERE sort_key BETWEEN ? AND ? AND sha512 IS NOT NULL
                        """), arguments: [Self.key(first), Self.key(last)])
            while let row = try rows.next() {
                guard let package = PackageName(row["name"] as String), let tarball = PackageFacts.Tarball(row),
                    let sha512 = SHA512Digest(bytes: row["sha512"] as Data)
                else { continue }
                let sha1 = (row["sha1"] as Data?).flatMap { SHA1Digest(bytes: $0) }
                proofs[StorePath(package, tarball.file)] = KnownProof(
                    identity: tarball.identity, proof: TarballProof(sha512: sha512, sha1: sha1, size: tarball.identity.size),
                    scannedAt: row["scanned"])
            }
            return proofs
        }
    }
}

extension BrokenArchive {
    fileprivate init?(_ row: Row, attempts: [Attempt]) {
        guard let package = PackageName(row["name"] as String), let file = FileName(row["file"] as String),
            let kind = DamageKind(rawValue: row["kind"]), let state = State(rawValue: row["state"])
        else { return nil }
        self.init(
            id: row["id"], path: StorePath(package, file), version: row["version"], damage: Damage(kind, row["message"]),
            sha512: (row["sha512"] as Data?).flatMap { SHA512Digest(bytes: $0) }, size: row["size"],
            found: Timestamp(nanoseconds: row["found"]), checked: Timestamp(nanoseconds: row["checked"]), state: state,
            quarantined: row["quarantined"], isGoneUpstream: row["is_gone_upstream"], attempts: attempts)
    }
}

extension BrokenArchive.Attempt {
    fileprivate init(_ row: Row) {
        self.init(
            began: Timestamp(nanoseconds: row["began"]), ended: Timestamp(nanoseconds: row["ended"]),
            isRepaired: row["outcome"] == "repaired", reason: row["reason"])
    }
}
