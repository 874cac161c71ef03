import Databases
import Foundation
import GRDB
package import Integrity
package import PackageStore
package import Snapshots

/// A tarball that this destination was given and took.
package struct GivenFile: Sendable, Hashable {
    package let path: StorePath
    package let digest: SHA512Digest
    /// Bytes; `nil` where that is not known.
    package let size: Int64?
    /// The import that brought it, or found it held last.
    package let importID: Int64
}

extension Ledger {
    /// The packages of which something was given and taken, sorted.
    package func packagesGiven() throws -> [PackageName] {
        try database.read { db in
            try String.fetchAll(db, sql: "SELECT DISTINCT package FROM delivery WHERE outcome IN ('added', 'held', 'healed')")
                .compactMap { PackageName($0) }.sorted()
        }
    }

    /// The tarballs of a package that were given and taken, sorted.
    package func given(of package: PackageName) throws -> [GivenFile] {
        try database.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT file, digest, max(size) AS size, min(import) AS import FROM delivery
                    WHERE package = ? AND outcome IN ('added', 'held', 'healed') GROUP BY file, digest
                    """)
            return try Row.fetchAll(statement, arguments: [package.text]).map { row in
                guard let file = FileName(row["file"] as String), let digest = SHA512Digest(bytes: Array(row["digest"] as Data)) else {
                    throw LedgerError.damaged("a delivery of \(package)")
                }
                return GivenFile(path: StorePath(package, file), digest: digest, size: row["size"], importID: row["import"])
            }.sorted { $0.path < $1.path }
        }
    }

    /// What an origin offered and this destination does not hold on purpose, sorted by path.
    package func refused(of origin: Identifier) throws -> [DeliveryRecord] {
        try database.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT package, file, digest, size, outcome FROM delivery
                    WHERE origin = ? AND outcome IN ('conflict', 'owned-locally', 'removed')
                    """, arguments: [origin.text])
            return try rows.map { row in
                guard let package = PackageName(row["package"] as String), let file = FileName(row["file"] as String),
                    let digest = SHA512Digest(bytes: Array(row["digest"] as Data)), let outcome = VersionOutcome(rawValue: row["outcome"])
                else { throw LedgerError.damaged("a delivery of \(row["package"] as DatabaseValue)") }
                return DeliveryRecord(path: StorePath(package, file), digest: digest, size: row["size"], outcome: outcome)
            }.sorted { ($0.path, $0.digest.hex) < ($1.path, $1.digest.hex) }
        }
    }
}
