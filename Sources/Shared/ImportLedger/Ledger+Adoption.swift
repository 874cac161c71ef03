import Databases
import Foundation
import GRDB
package import Integrity
package import PackageStore
package import Platform
package import Snapshots

/// A tarball that was here before anything was imported.
package struct AdoptedFile: Sendable, Hashable {
    package let path: StorePath
    package let digest: SHA512Digest
    package let version: PackageVersion?
    /// Bytes.
    package let size: Int64

    package init(path: StorePath, digest: SHA512Digest, version: PackageVersion?, size: Int64) {
        self.path = path
        self.digest = digest
        self.version = version
        self.size = size
    }
}

extension Ledger {
    /// The adoption of a storage that is the newest; `nil` where none was begun.
    package func adoption() throws -> ImportRecord? { try imports().first { $0.kind == .adoption } }

    /// Begins an adoption; it stands in the chain like an import, of a bundle that nobody made.
    ///
    /// - Parameter subdirectories: of the storage, each a physical storage that gets a generation.
    package func beginAdoption(
        _ bundle: Identifier, generationIn subdirectories: [String], operatorName: String, at moment: Timestamp
    ) throws -> ImportRecord {
        let origin = Identifier(.origin, random: [UInt8](repeating: 0, count: 20))
        return try database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO import (bundle, label, origin, sequence, target_root, started, state, keys, operator, source, outcomes,
                        previous, format, kind) VALUES (?, 'adoption', ?, 0, ?, ?, 'applying', '', ?, '', '', '', 2, 'adoption')
                    """,
                arguments: [bundle.text, origin.text, SHA512Digest.ofNothing.hex, moment.description, operatorName])
            let id = db.lastInsertedRowID
            for subdirectory in subdirectories {
                try db.execute(sql: "INSERT OR IGNORE INTO generation VALUES (?, ?)", arguments: [id, subdirectory])
            }
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM import WHERE id = ?", arguments: [id]) else {
                throw LedgerError.damaged("adoption \(id) is gone")
            }
            return try Self.record(row)
        }
    }

    /// Keeps which tarballs were here; they stay local, since no origin gave them.
    package func recordAdopted(_ files: [AdoptedFile], adoption id: Int64) throws {
        try database.write { db in
            let statement = try db.cachedStatement(
                sql: "INSERT OR IGNORE INTO change VALUES (?, ?, ?, ?, ?, ?, 'adopted', 0, 0, NULL, NULL, NULL)")
            for file in files {
                try statement.execute(arguments: [
                    id, file.path.package.text, file.path.file.text, Data(file.digest.bytes), file.version?.text, file.size,
                ])
            }
        }
    }
}
