import Archives
package import BundleFormat
import Foundation
import GRDB
import Integrity
package import PackageStore
package import Platform
package import Snapshots
package import SystemPackage

/// The isolated side's append-only record, `ledger.sqlite`, and the applied view that follows from it.
///
/// Every change is durable when its call returns. Each import's row holds the digest of the row before it. Nothing of GRDB leaves this
/// module.
package final class Ledger: Sendable {
    private let pool: DatabasePool

    /// Opens the ledger, creating it and bringing it up to date where needed.
    ///
    /// - Throws: `LedgerError.newer`; GRDB's errors for one that is damaged or locked.
    package init(opening path: FilePath) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
        pool = try DatabasePool(path: path.string, configuration: configuration)
        let migrator = Self.migrator
        if try pool.read({ try migrator.hasBeenSuperseded($0) }) { throw LedgerError.newer(path) }
        try migrator.migrate(pool)
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
                    CREATE TABLE import (
                        id INTEGER PRIMARY KEY, bundle TEXT NOT NULL, label TEXT NOT NULL, origin TEXT NOT NULL,
                        sequence INTEGER NOT NULL, target_root TEXT NOT NULL, started TEXT NOT NULL, finished TEXT,
                        state TEXT NOT NULL, keys TEXT NOT NULL, operator TEXT NOT NULL, source TEXT NOT NULL,
                        outcomes TEXT NOT NULL, chained INTEGER UNIQUE, previous TEXT NOT NULL, digest TEXT
                    ) STRICT;
                    CREATE TABLE delivery (
                        package TEXT NOT NULL, file TEXT NOT NULL, digest BLOB NOT NULL, origin TEXT NOT NULL,
                        size INTEGER, outcome TEXT NOT NULL, import INTEGER NOT NULL REFERENCES import,
                        PRIMARY KEY (package, file, digest, origin)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE form (
                        origin TEXT NOT NULL, package TEXT NOT NULL, digest BLOB NOT NULL, form BLOB NOT NULL,
                        revision TEXT NOT NULL, device INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL,
                        modified INTEGER NOT NULL, changed INTEGER NOT NULL,
                        import INTEGER NOT NULL REFERENCES import, PRIMARY KEY (origin, package)
                    ) STRICT;
                    """)
        }
        return migrator
    }

    /// Who this destination is; `nil` before `ferry-offline init`.
    package func destination() throws -> Identifier? {
        try setting("destination").flatMap { Identifier($0, .destination) }
    }

    /// Names the destination, once.
    package func setDestination(_ id: Identifier) throws { try set("destination", id.text) }

    /// Whether unsigned bundles were allowed when the destination was named.
    package func allowsUnsigned() throws -> Bool { try setting("unsigned") == "allow" }

    /// Allows unsigned bundles until the first signed import of their origin.
    package func allowUnsigned() throws { try set("unsigned", "allow") }

    private func setting(_ name: String) throws -> String? {
        try pool.read { try String.fetchOne($0, sql: "SELECT value FROM setting WHERE name = ?", arguments: [name]) }
    }

    private func set(_ name: String, _ value: String) throws {
        try pool.write {
            try $0.execute(
                sql: "INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", arguments: [name, value])
        }
    }

    /// Begins an import, or takes up the one of the same bundle that did not end.
    package func begin(
        _ descriptor: BundleDescriptor, keys: [String], operatorName: String, source: String, at moment: Timestamp
    ) throws -> Int64 {
        try pool.write { db in
            let open = try Int64.fetchOne(
                db, sql: "SELECT id FROM import WHERE bundle = ? AND state = 'applying'", arguments: [descriptor.bundle.text])
            if let open { return open }
            try db.execute(
                sql: """
                    INSERT INTO import (bundle, label, origin, sequence, target_root, started, state, keys, operator, source, outcomes,
                        previous) VALUES (?, ?, ?, ?, ?, ?, 'applying', ?, ?, ?, '', '')
                    """,
                arguments: [
                    descriptor.bundle.text, descriptor.label, descriptor.origin.text, descriptor.sequence, descriptor.targetRoot.hex,
                    moment.description, keys.joined(separator: " "), operatorName, source,
                ])
            return db.lastInsertedRowID
        }
    }

    /// Keeps what packages became, or with outcomes `intended` what they are about to become.
    ///
    /// An intention leaves what was recorded of a file before, unless that was a refusal.
    package func record(_ deliveries: [PackageDelivery], origin: Identifier, import id: Int64) throws {
        try pool.write { db in
            let file = try db.cachedStatement(
                sql: """
                    INSERT INTO delivery VALUES (?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET size = ifnull(excluded.size, size), outcome = excluded.outcome, import = excluded.import
                    WHERE excluded.outcome <> 'intended' OR outcome IN ('conflict', 'owned-locally', 'absent')
                    """)
            let form = try db.cachedStatement(
                sql: "INSERT OR REPLACE INTO form VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            for delivery in deliveries {
                for record in delivery.files {
                    try file.execute(arguments: [
                        delivery.package.text, record.path.file.text, Data(record.digest.bytes), origin.text, record.size,
                        record.outcome.rawValue, id,
                    ])
                }
                if let (bytes, applied) = delivery.form {
                    let identity = applied.identity
                    try form.execute(arguments: [
                        origin.text, delivery.package.text, Data(applied.digest.bytes), Data(try ZstdBuffer.compress(bytes)),
                        applied.revision.text, Int64(bitPattern: identity.device), Int64(bitPattern: identity.inode), identity.size,
                        identity.modified, identity.changed, id,
                    ])
                }
            }
        }
    }

    /// Ends an import: counts its outcomes and chains its row to the one before.
    package func finish(_ id: Int64, outcomes: [String: Int], at moment: Timestamp) throws {
        let text = outcomes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        try pool.write { db in
            let previous = try String.fetchOne(
                db, sql: "SELECT digest FROM import WHERE digest IS NOT NULL ORDER BY chained DESC LIMIT 1")
            try db.execute(
                sql: """
                    UPDATE import SET state = 'applied', finished = ?, outcomes = ?, previous = ?,
                        chained = (SELECT ifnull(max(chained), 0) + 1 FROM import) WHERE id = ?
                    """,
                arguments: [moment.description, text, previous ?? "", id])
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM import WHERE id = ?", arguments: [id]) else {
                throw LedgerError.damaged("import \(id) is gone")
            }
            try db.execute(sql: "UPDATE import SET digest = ? WHERE id = ?", arguments: [Self.digest(of: row).hex, id])
        }
    }

    private static func digest(of row: Row) -> SHA512Digest {
        let columns = [
            "chained", "previous", "id", "bundle", "label", "origin", "sequence", "target_root", "started", "finished", "keys", "operator",
            "source", "outcomes",
        ]
        let text = columns.map { "\($0)=\(row[$0] as DatabaseValue)\n" }.joined()
        return SHA512.digest(of: Array(text.utf8))
    }

    /// Every import, newest first.
    package func imports() throws -> [ImportRecord] {
        try pool.read { db in try Row.fetchAll(db, sql: "SELECT * FROM import ORDER BY id DESC").map(Self.record) }
    }

    /// The import that did not end, if any: packages of its bundle may be in their old or their new state.
    package func openImport() throws -> ImportRecord? {
        try pool.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM import WHERE state = 'applying' ORDER BY id DESC").map(Self.record)
        }
    }

    private static func record(_ row: Row) throws -> ImportRecord {
        guard let bundle = Identifier(row["bundle"] as String, .bundle), let origin = Identifier(row["origin"] as String, .origin),
            let root = SHA512Digest(hex: row["target_root"] as String), let started = Timestamp(row["started"] as String),
            let state = ImportRecord.State(rawValue: row["state"])
        else { throw LedgerError.damaged("import \(row["id"] as DatabaseValue)") }
        let pairs = (row["outcomes"] as String).split(separator: " ").map { $0.split(separator: "=") }
        return ImportRecord(
            id: row["id"], bundle: bundle, label: row["label"], origin: origin, sequence: row["sequence"], targetRoot: root,
            started: started, finished: (row["finished"] as String?).flatMap { Timestamp($0) }, state: state,
            keys: (row["keys"] as String).split(separator: " ").map(String.init), operatorName: row["operator"], source: row["source"],
            outcomes: Dictionary(pairs.compactMap { $0.count == 2 ? (String($0[0]), Int($0[1]) ?? 0) : nil }) { $1 })
    }

    /// The highest sequence of an origin that was applied; 0 before the first.
    package func newestSequence(of origin: Identifier) throws -> Int64 {
        try pool.read { db in
            try Int64.fetchOne(
                db, sql: "SELECT max(sequence) FROM import WHERE origin = ? AND state = 'applied'", arguments: [origin.text]) ?? 0
        }
    }

    /// Whether a signed bundle of this origin was ever applied: from then on unsigned ones are refused.
    package func hasSignedImport(of origin: Identifier) throws -> Bool {
        try pool.read { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM import WHERE origin = ? AND keys <> '')", arguments: [origin.text]) ?? false
        }
    }

    /// What the ledger knows of packages: one look for many of them.
    package func views(of packages: [PackageName], origin: Identifier) throws -> [PackageName: AppliedView] {
        try pool.read { db in
            var views: [PackageName: AppliedView] = [:]
            for package in packages {
                views[package] = AppliedView(
                    deliveries: try Self.deliveries(of: package, db), form: try Self.appliedForm(of: package, origin: origin, db))
            }
            return views
        }
    }

    private static func deliveries(of package: PackageName, _ db: Database) throws -> [DeliveryRecord] {
        let rows = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT file, digest, size, outcome FROM delivery WHERE package = ?"), arguments: [package.text])
        var records: [DeliveryRecord] = []
        while let row = try rows.next() {
            guard let file = FileName(row["file"] as String), let digest = SHA512Digest(bytes: Array(row["digest"] as Data)),
                let outcome = VersionOutcome(rawValue: row["outcome"])
            else { throw LedgerError.damaged("a delivery of \(package)") }
            records.append(DeliveryRecord(path: StorePath(package, file), digest: digest, size: row["size"], outcome: outcome))
        }
        return records
    }

    private static func appliedForm(of package: PackageName, origin: Identifier, _ db: Database) throws -> AppliedForm? {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT digest, revision, device, inode, size, modified, changed FROM form WHERE origin = ? AND package = ?"),
            arguments: [origin.text, package.text])
        return try row.map { row in
            guard let digest = SHA512Digest(bytes: Array(row["digest"] as Data)) else {
                throw LedgerError.damaged("the form of \(package)")
            }
            return AppliedForm(
                digest: digest, revision: PackumentRevision(row["revision"]),
                identity: FileIdentity(
                    device: UInt64(bitPattern: row["device"]), inode: UInt64(bitPattern: row["inode"]), size: row["size"],
                    modified: row["modified"], changed: row["changed"]))
        }
    }

    /// The last transfer form of a package that this origin gave and that was applied; the base of the next merge.
    package func form(of package: PackageName, origin: Identifier) throws -> [UInt8]? {
        let data = try pool.read { db in
            try Data.fetchOne(
                db.cachedStatement(sql: "SELECT form FROM form WHERE origin = ? AND package = ?"), arguments: [origin.text, package.text])
        }
        return try data.map { try ZstdBuffer.decompress(Array($0), limit: Int(SnapshotFile.packumentLimit)) }
    }
}
