import Databases
import Foundation
import GRDB
package import Integrity
package import PackageStore
package import Snapshots

/// A tarball that has left its origin, and that this destination was given by that origin alone.
package struct LeavingFile: Sendable, Hashable {
    package let path: StorePath
    package let digest: SHA512Digest
    package let version: PackageVersion?

    package init(path: StorePath, digest: SHA512Digest, version: PackageVersion?) {
        self.path = path
        self.digest = digest
        self.version = version
    }
}

extension Ledger {
    /// Of tarballs that have left an origin, those that it gave and that no other origin gave, too.
    package func leaving(_ files: [SnapshotFile], origin: Identifier) throws -> [LeavingFile] {
        try database.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT 1 FROM delivery AS mine
                    WHERE package = :package AND file = :file AND digest = :digest AND origin = :origin
                        AND outcome IN ('added', 'held', 'healed') AND NOT EXISTS (
                            SELECT 1 FROM delivery AS other
                            WHERE other.package = :package AND other.file = :file AND other.digest = :digest AND other.origin <> :origin
                                AND other.outcome IN ('added', 'held', 'healed'))
                    """)
            return try files.compactMap { file in
                let isIts = try Int.fetchOne(
                    statement,
                    arguments: [
                        "package": file.path.package.text, "file": file.path.file.text, "digest": Data(file.digest.bytes),
                        "origin": origin.text,
                    ])
                return isIts == nil ? nil : LeavingFile(path: file.path, digest: file.digest, version: file.version)
            }
        }
    }

    /// Notes what an import is about to take away, so that whatever interrupts it, undoing it can bring that back.
    package func noteLeaving(_ files: [LeavingFile], origin: Identifier, import id: Int64) throws {
        try database.write { db in
            let statement = try db.cachedStatement(
                sql: """
                    INSERT OR IGNORE INTO change
                        (import, package, file, digest, version, size, outcome, carried, owned, prior_outcome, prior_import, prior_size)
                    SELECT ?, package, file, digest, ?, size, 'leaving', 0, 0, outcome, import, size FROM delivery
                    WHERE package = ? AND file = ? AND digest = ? AND origin = ?
                    """)
            for file in files {
                try statement.execute(arguments: [
                    id, file.version?.text, file.path.package.text, file.path.file.text, Data(file.digest.bytes), origin.text,
                ])
            }
        }
    }

    /// Keeps what became of tarballs that were noted; one without an outcome stayed.
    ///
    /// - Parameter gone: packages of which nothing is left: there is no base for a merge any more.
    package func recordLeft(
        _ files: [(file: LeavingFile, outcome: VersionOutcome?)], gone: [PackageName], origin: Identifier, import id: Int64
    ) throws {
        try database.write { db in
            for (file, outcome) in files {
                let key: StatementArguments = [
                    "import": id, "package": file.path.package.text, "file": file.path.file.text, "digest": Data(file.digest.bytes),
                ]
                guard let outcome else {
                    try db.cachedStatement(
                        sql: """
                            DELETE FROM change WHERE import = :import AND package = :package AND file = :file AND digest = :digest
                                AND outcome = 'leaving'
                            """
                    ).execute(arguments: key)
                    continue
                }
                try db.cachedStatement(
                    sql: """
                        UPDATE change SET outcome = :outcome
                        WHERE import = :import AND package = :package AND file = :file AND digest = :digest
                        """
                ).execute(arguments: key + ["outcome": outcome.rawValue])
                try db.cachedStatement(
                    sql: """
                        UPDATE delivery SET outcome = :outcome, import = :import
                        WHERE package = :package AND file = :file AND digest = :digest AND origin = :origin
                        """
                ).execute(arguments: key + ["outcome": outcome.rawValue, "origin": origin.text])
            }
            for package in gone { try Self.forgetForm(of: package, origin: origin, import: id, db) }
        }
    }

    /// Forgets the base of the next merge, and keeps it for whoever undoes that.
    private static func forgetForm(of package: PackageName, origin: Identifier, import id: Int64, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO replaced_form
                SELECT ?, package, digest, form, revision, device, inode, size, modified, changed, import FROM form
                WHERE origin = ? AND package = ?
                """, arguments: [id, origin.text, package.text])
        try db.execute(sql: "DELETE FROM form WHERE origin = ? AND package = ?", arguments: [origin.text, package.text])
    }

    /// The tarballs of a package that an import took away, or was about to, and that were here because of an import that still counts.
    package func taken(by id: Int64, of package: PackageName) throws -> [LeavingFile] {
        try database.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT * FROM change WHERE import = ? AND package = ? AND outcome IN ('leaving', 'quarantined', 'deleted')
                        AND prior_outcome IN ('added', 'held', 'healed') ORDER BY file, digest
                    """)
            return try Row.fetchAll(statement, arguments: [id, package.text]).map { row in
                let change = try Self.change(row)
                return LeavingFile(path: change.path, digest: change.digest, version: change.version)
            }
        }
    }

    /// How many tarballs an import has quarantined and deleted.
    package func takenCounts(by id: Int64) throws -> [String: Int] {
        try database.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT outcome, count(*) AS files FROM change WHERE import = ? AND outcome IN ('quarantined', 'deleted')
                    GROUP BY outcome
                    """, arguments: [id])
            return Dictionary(uniqueKeysWithValues: rows.map { ($0["outcome"] as String, $0["files"] as Int) })
        }
    }
}
