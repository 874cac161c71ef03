package import CanonicalJSON
import Databases
import Foundation
import GRDB
import Integrity
import PackageStore
package import Platform

extension Ledger {
    /// Keeps that quarantined versions of a package were let back: they are local from then on.
    ///
    /// All of it, or nothing.
    ///
    /// - Parameter taken: what the import with that number had quarantined.
    /// - Returns: the number of the entry.
    package func recordRelease(
        _ taken: [LeavingFile], quarantinedBy id: Int64, operatorName: String, details: JSONObject, at moment: Timestamp
    ) throws -> Int64 {
        try database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO import (bundle, label, origin, sequence, target_root, started, state, keys, operator, source, outcomes,
                        previous, format, kind)
                    SELECT bundle, label, origin, sequence, target_root, ?, 'applying', keys, ?, '', '', '', 2, 'release'
                    FROM import WHERE id = ?
                    """, arguments: [moment.description, operatorName, id])
            let release = db.lastInsertedRowID
            for file in taken {
                let key: StatementArguments = [
                    "release": release, "package": file.path.package.text, "file": file.path.file.text, "digest": Data(file.digest.bytes),
                ]
                try db.execute(
                    sql: """
                        INSERT INTO change VALUES (:release, :package, :file, :digest, :version, NULL, 'released', 0, 0, NULL, NULL, NULL)
                        """, arguments: key + ["version": file.version?.text])
                try db.execute(
                    sql: """
                        UPDATE delivery SET outcome = 'released', import = :release
                        WHERE package = :package AND file = :file AND digest = :digest AND outcome = 'quarantined'
                        """, arguments: key)
            }
            try Self.finish(release, outcomes: ["released": taken.count], details: details, at: moment, db)
            return release
        }
    }
}
