package import CanonicalJSON
import Databases
import Foundation
import GRDB
import Integrity
package import PackageStore
package import Platform
import Snapshots

extension Ledger {
    /// The packages of which an import changed something that is recorded, sorted.
    package func packages(changedBy id: Int64) throws -> [PackageName] {
        try database.read { db in
            try String.fetchAll(
                db, sql: "SELECT package FROM change WHERE import = ? UNION SELECT package FROM replaced_form WHERE import = ?",
                arguments: [id, id]
            ).compactMap { PackageName($0) }.sorted()
        }
    }

    /// What an import made of the files of a package.
    package func changes(by id: Int64, of package: PackageName) throws -> [ChangeRecord] {
        try database.read { db in
            let statement = try db.cachedStatement(sql: "SELECT * FROM change WHERE import = ? AND package = ? ORDER BY file, digest")
            return try Row.fetchAll(statement, arguments: [id, package.text]).map(Self.change)
        }
    }

    static func change(_ row: Row) throws -> ChangeRecord {
        guard let package = PackageName(row["package"] as String), let file = FileName(row["file"] as String),
            let digest = SHA512Digest(bytes: Array(row["digest"] as Data)), let outcome = VersionOutcome(rawValue: row["outcome"])
        else { throw LedgerError.damaged("a change of import \(row["import"] as DatabaseValue)") }
        return ChangeRecord(
            path: StorePath(package, file), digest: digest, version: (row["version"] as String?).flatMap { PackageVersion($0) },
            size: row["size"], outcome: outcome, isCarried: row["carried"], isOwned: row["owned"])
    }

    /// The tarballs that came with an import and would be here without it, too: a later one carried them as well, or another origin
    /// gave them.
    package func otherwiseGiven(_ package: PackageName, beside id: Int64) throws -> Set<FileName> {
        try database.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT mine.file FROM change AS mine JOIN import ON import.id = mine.import
                    WHERE mine.import = :import AND mine.package = :package AND (
                        EXISTS (
                            SELECT 1 FROM change AS later JOIN import AS its ON its.id = later.import
                            WHERE later.package = mine.package AND later.file = mine.file AND later.import > mine.import
                                AND later.digest = mine.digest AND later.carried AND later.outcome IN ('added', 'held', 'healed')
                                AND its.state IN ('applied', 'applying'))
                        OR EXISTS (
                            SELECT 1 FROM delivery AS other
                            WHERE other.package = mine.package AND other.file = mine.file AND other.digest = mine.digest
                                AND other.origin <> import.origin AND other.outcome IN ('added', 'held', 'healed')))
                    """)
            return try Set(
                String.fetchAll(statement, arguments: ["import": id, "package": package.text]).compactMap { FileName($0) })
        }
    }

    /// The imports of the same origin that came after one and still count, oldest first.
    package func imports(after id: Int64) throws -> [ImportRecord] {
        try database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT later.* FROM import AS later JOIN import AS this ON this.id = ? AND this.origin = later.origin
                    WHERE later.id > this.id AND later.kind = 'import' AND later.state IN ('applied', 'applying') ORDER BY later.id
                    """, arguments: [id]
            ).map(Self.record)
        }
    }

    /// The rollback that did not end, if any.
    package func openRollback() throws -> ImportRecord? {
        try database.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM import WHERE state = 'applying' AND kind = 'rollback' ORDER BY id DESC")
                .map(Self.record)
        }
    }

    /// Begins to undo an import, or takes up what did not end; returns the rollback's number.
    package func beginRollback(of undone: ImportRecord, operatorName: String, at moment: Timestamp) throws -> Int64 {
        try database.write { db in
            let open = try Int64.fetchOne(
                db, sql: "SELECT id FROM import WHERE undoes = ? AND state = 'applying'", arguments: [undone.id])
            if let open { return open }
            try db.execute(
                sql: """
                    INSERT INTO import (bundle, label, origin, sequence, target_root, started, state, keys, operator, source, outcomes,
                        previous, format, kind, undoes)
                    SELECT bundle, label, origin, sequence, target_root, ?, 'applying', keys, ?, '', '', '', 2, 'rollback', id
                    FROM import WHERE id = ?
                    """, arguments: [moment.description, operatorName, undone.id])
            let id = db.lastInsertedRowID
            try db.execute(sql: "UPDATE import SET state = 'rolling-back' WHERE id = ?", arguments: [undone.id])
            return id
        }
    }

    /// Puts the applied view of packages back to what it was before an import, as far as no later one has changed it, and keeps what went.
    package func record(_ undone: [PackageUndoing], of record: ImportRecord, rollback id: Int64) throws {
        try database.write { db in
            let undoing = Undoing(record: record, rollback: id, db: db)
            for package in undone { try undoing.undo(package) }
        }
    }

    /// Ends a rollback: the import counts no more, and the rollback's row is chained to the one before.
    ///
    /// - Parameter details: what else is recorded of it.
    package func finishRollback(
        _ id: Int64, of record: ImportRecord, outcomes: [String: Int], details: JSONObject = JSONObject(), at moment: Timestamp
    ) throws {
        try database.write { db in
            try db.execute(sql: "UPDATE import SET state = 'rolled-back' WHERE id = ?", arguments: [record.id])
            try Self.finish(id, outcomes: outcomes, details: details, at: moment, db)
        }
    }
}

/// Puts the applied view of one package back.
///
/// What a later import found and recorded as `prior` is the record that goes: it gets what was before that.
private struct Undoing {
    let record: ImportRecord
    /// The number of the rollback.
    let rollback: Int64
    let db: Database

    func undo(_ undone: PackageUndoing) throws {
        let package = undone.package.text
        let rows = try Row.fetchAll(db, sql: "SELECT * FROM change WHERE import = ? AND package = ?", arguments: [record.id, package])
        for row in rows { try undo(row, isRemoved: FileName(row["file"] as String).map(undone.removed.contains) ?? false) }
        try undoForm(of: package)
        for file in undone.returned {
            try db.execute(
                sql: "INSERT OR IGNORE INTO change VALUES (?, ?, ?, ?, ?, NULL, 'returned', 0, 0, NULL, NULL, NULL)",
                arguments: [rollback, package, file.path.file.text, Data(file.digest.bytes), file.version?.text])
        }
        guard !undone.isLeft else { return }
        // Whatever is published under that name from now on is nobody's but the publisher's.
        try db.execute(sql: "DELETE FROM fresh_package WHERE import = ? AND package = ?", arguments: [record.id, package])
    }

    private func undo(_ row: Row, isRemoved: Bool) throws {
        let arguments: StatementArguments = [
            "import": record.id, "package": row["package"] as String, "file": row["file"] as String, "digest": row["digest"] as Data,
            "origin": record.origin.text,
        ]
        let later = try Int64.fetchOne(
            db,
            sql: """
                SELECT min(change.import) FROM change JOIN import ON import.id = change.import
                WHERE package = :package AND file = :file AND change.digest = :digest AND change.import > :import
                    AND import.origin = :origin
                    AND import.kind = 'import' AND import.state <> 'rolled-back'
                """, arguments: arguments)
        if let later {
            // If the file stays since that import carried it, too, it is that one's now.
            try db.execute(
                sql: """
                    UPDATE change SET prior_outcome = :outcome, prior_import = :prior, prior_size = :size, owned = owned OR :inherits
                    WHERE import = :later AND package = :package AND file = :file AND digest = :digest
                    """,
                arguments: [
                    "outcome": row["prior_outcome"] as String?, "prior": row["prior_import"] as Int64?, "size": row["prior_size"] as Int64?,
                    "inherits": !isRemoved && row["owned"] as Bool, "later": later, "package": row["package"] as String,
                    "file": row["file"] as String, "digest": row["digest"] as Data,
                ])
        }
        try db.execute(
            sql: "UPDATE change SET owned = 0 WHERE import = :import AND package = :package AND file = :file AND digest = :digest",
            arguments: [
                "import": record.id, "package": row["package"] as String, "file": row["file"] as String, "digest": row["digest"] as Data,
            ])
        if isRemoved, row["owned"] {
            try db.execute(
                sql: "INSERT OR IGNORE INTO change VALUES (?, ?, ?, ?, ?, ?, 'undone', 0, 0, NULL, NULL, NULL)",
                arguments: [
                    rollback, row["package"] as String, row["file"] as String, row["digest"] as Data, row["version"] as String?,
                    row["size"] as Int64?,
                ])
        }
        guard later == nil || isRemoved else { return }
        try db.execute(
            sql: "DELETE FROM delivery WHERE package = ? AND file = ? AND digest = ? AND origin = ?",
            arguments: [row["package"] as String, row["file"] as String, row["digest"] as Data, record.origin.text])
        guard let outcome = row["prior_outcome"] as String?, let prior = row["prior_import"] as Int64? else { return }
        try db.execute(
            sql: "INSERT INTO delivery VALUES (?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                row["package"] as String, row["file"] as String, row["digest"] as Data, record.origin.text, row["prior_size"] as Int64?,
                outcome, prior,
            ])
    }

    private func undoForm(of package: String) throws {
        guard
            let old = try Row.fetchOne(
                db, sql: "SELECT * FROM replaced_form WHERE import = ? AND package = ?", arguments: [record.id, package])
        else { return }
        let later = try Int64.fetchOne(
            db,
            sql: """
                SELECT min(replaced_form.import) FROM replaced_form JOIN import ON import.id = replaced_form.import
                WHERE package = ? AND replaced_form.import > ? AND import.origin = ? AND import.state <> 'rolled-back'
                """, arguments: [package, record.id, record.origin.text])
        let columns: [(any DatabaseValueConvertible)?] = [
            old["digest"] as Data?, old["form"] as Data?, old["revision"] as String?, old["device"] as Int64?, old["inode"] as Int64?,
            old["size"] as Int64?, old["modified"] as Int64?, old["changed"] as Int64?, old["prior_import"] as Int64?,
        ]
        if let later {
            try db.execute(
                sql: """
                    UPDATE replaced_form SET digest = ?, form = ifnull(?, form), revision = ?, device = ?, inode = ?, size = ?,
                        modified = ?, changed = ?, prior_import = ? WHERE import = ? AND package = ?
                    """, arguments: StatementArguments(columns) + [later, package])
        } else if old["digest"] as Data? == nil {
            try db.execute(sql: "DELETE FROM form WHERE origin = ? AND package = ?", arguments: [record.origin.text, package])
        } else {
            try db.execute(
                sql: """
                    UPDATE form SET digest = ?, form = ifnull(?, form), revision = ?, device = ?, inode = ?, size = ?, modified = ?,
                        changed = ?, import = ? WHERE origin = ? AND package = ?
                    """, arguments: StatementArguments(columns) + [record.origin.text, package])
            // The import took the package away, and its form with it.
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO form SELECT ?, package, digest, form, revision, device, inode, size, modified, changed, prior_import
                    FROM replaced_form WHERE import = ? AND package = ? AND form IS NOT NULL
                    """, arguments: [record.origin.text, record.id, package])
        }
        try db.execute(sql: "DELETE FROM replaced_form WHERE import = ? AND package = ?", arguments: [record.id, package])
    }
}
