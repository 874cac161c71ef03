import Databases
import Foundation
import GRDB
import Integrity
package import PackageStore
import Platform
import Snapshots

/// What came of checking the ledger's chain.
package struct LedgerAudit: Sendable, Hashable {
    /// Rows whose digests were compared.
    package var entries = 0
    /// What is wrong, in words; empty for a ledger that is as it was written.
    package var findings: [String] = []
    /// The digest of the last row; `nil` where there are none.
    ///
    /// Whoever has noted it sees by it that rows were taken from the end.
    package var head: String?
}

/// One file of one import, as the ledger found it when it was asked for a package.
package struct FileEvent: Sendable {
    package let record: ImportRecord
    package let change: ChangeRecord
}

extension Ledger {
    /// Checks that each finished row is as it was written, follows the one before, and that its files are those it was ended with.
    package func audit() throws -> LedgerAudit {
        try database.read { db in
            var audit = LedgerAudit()
            var previous = ""
            var undone: Set<Int64> = []
            let rows = try Row.fetchCursor(db, sql: "SELECT * FROM import WHERE chained IS NOT NULL ORDER BY chained")
            while let row = try rows.next() {
                let name = "entry \(row["id"] as Int64)"
                audit.entries += 1
                if row["chained"] as Int64 != audit.entries { audit.findings.append("\(name): one or more entries before it are gone") }
                if row["previous"] as String != previous { audit.findings.append("\(name): it does not follow the entry before it") }
                let digest = row["digest"] as String?
                if digest != Self.digest(of: row).hex { audit.findings.append("\(name): it was changed after it was written") }
                let id = row["id"] as Int64
                if row["format"] as Int64 >= 2, row["content"] as String != (try Self.content(of: id, db).hex) {
                    audit.findings.append("\(name): what it says of files was changed after it was written")
                }
                if let id = row["undoes"] as Int64? { undone.insert(id) }
                previous = digest ?? ""
                audit.head = digest
            }
            let states = try Row.fetchAll(db, sql: "SELECT id, kind, state, chained FROM import WHERE kind = 'import'")
            for row in states {
                let id = row["id"] as Int64
                let state = ImportRecord.State(rawValue: row["state"])
                if (state == .rolledBack) != undone.contains(id) {
                    audit.findings.append("entry \(id): whether it was rolled back contradicts the other entries")
                }
                if state == .applied, row["chained"] as Int64? == nil { audit.findings.append("entry \(id): it is not in the chain") }
            }
            return audit
        }
    }

    /// What an import made of files, sorted by package and file.
    package func changes(by id: Int64) throws -> [ChangeRecord] {
        try database.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM change WHERE import = ? ORDER BY package, file, digest", arguments: [id])
                .map(Self.change)
        }
    }

    /// What imports and rollbacks made of a package, or of one version of it, oldest first.
    ///
    /// Imports of the ledger's first version recorded only what became of a file last.
    package func events(of package: PackageName, version: PackageVersion?) throws -> [FileEvent] {
        let file = version.map { "\(package.base)-\($0).tgz" }
        return try database.read { db in
            let recorded = try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM change WHERE package = :package AND (:version IS NULL OR version = :version OR file = :file)
                        AND (outcome <> 'held' OR carried) ORDER BY import, file
                    """, arguments: ["package": package.text, "version": version?.text, "file": file])
            let older = try Row.fetchAll(
                db,
                sql: """
                    SELECT delivery.*, NULL AS version, 1 AS carried, 0 AS owned FROM delivery JOIN import ON import.id = delivery.import
                    WHERE format = 1 AND package = :package AND (:file IS NULL OR file = :file) ORDER BY import, file
                    """, arguments: ["package": package.text, "file": file])
            var records: [Int64: ImportRecord] = [:]
            return try (older + recorded).compactMap { row in
                let id = row["import"] as Int64
                let record = try records[id] ?? Row.fetchOne(db, sql: "SELECT * FROM import WHERE id = ?", arguments: [id]).map(Self.record)
                records[id] = record
                return try record.map { FileEvent(record: $0, change: try Self.change(row)) }
            }
        }
    }
}
