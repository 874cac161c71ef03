import Archives
package import BundleFormat
import CanonicalJSON
import Databases
import Foundation
import GRDB
import Integrity
package import PackageStore
package import Platform
package import Snapshots
package import SystemPackage

/// The isolated side's append-only record, `ledger.sqlite`, and the applied view that follows from it.
///
/// Every change is durable when its call returns. Each finished row holds the digest of the row before it. Nothing of GRDB leaves this
/// module.
package final class Ledger: Sendable {
    let database: DatabaseFile

    /// The form that this program brings a ledger to.
    package static var form: String { LedgerSchema.migrator.newestForm }

    /// Opens the ledger, creating it and bringing it up to date where needed.
    ///
    /// - Throws: `DatabaseFileError`, as every call that follows; `LedgerError` for what makes no sense.
    package init(opening path: FilePath) throws {
        database = try DatabaseFile(opening: path, migrator: LedgerSchema.migrator)
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

    /// A setting that "init" has kept.
    package func setting(_ name: String) throws -> String? {
        try database.read { try String.fetchOne($0, sql: "SELECT value FROM setting WHERE name = ?", arguments: [name]) }
    }

    /// Keeps a setting.
    package func set(_ name: String, _ value: String) throws {
        try database.write {
            try $0.execute(
                sql: "INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", arguments: [name, value])
        }
    }

    /// Begins an import, or takes up the one of the same bundle that did not end.
    ///
    /// - Parameter subdirectories: of the storage, each a physical storage that gets a generation; the empty one is the storage itself.
    package func begin(
        _ descriptor: BundleDescriptor, keys: [String], operatorName: String, source: String, generationIn subdirectories: [String],
        at moment: Timestamp
    ) throws -> BegunImport {
        try database.write { db in
            let open = try Row.fetchOne(
                db, sql: "SELECT id, started FROM import WHERE bundle = ? AND kind = 'import' AND state = 'applying'",
                arguments: [descriptor.bundle.text])
            let id: Int64
            if let open {
                id = open["id"]
            } else {
                try db.execute(
                    sql: """
                        INSERT INTO import (bundle, label, origin, sequence, target_root, started, state, keys, operator, source, outcomes,
                            previous, format) VALUES (?, ?, ?, ?, ?, ?, 'applying', ?, ?, ?, '', '', 2)
                        """,
                    arguments: [
                        descriptor.bundle.text, descriptor.label, descriptor.origin.text, descriptor.sequence, descriptor.targetRoot.hex,
                        moment.description, keys.joined(separator: " "), operatorName, source,
                    ])
                id = db.lastInsertedRowID
            }
            for subdirectory in subdirectories {
                try db.execute(sql: "INSERT OR IGNORE INTO generation VALUES (?, ?)", arguments: [id, subdirectory])
            }
            let started = try open.map { try Self.moment($0["started"]) } ?? moment
            return BegunImport(id: id, started: started, isRepeated: open != nil)
        }
    }

    static func moment(_ text: String) throws -> Timestamp {
        guard let moment = Timestamp(text) else { throw LedgerError.damaged("\"\(text)\" is no time") }
        return moment
    }

    /// Every import and rollback, newest first.
    package func imports() throws -> [ImportRecord] {
        try database.read { db in try Row.fetchAll(db, sql: "SELECT * FROM import ORDER BY id DESC").map(Self.record) }
    }

    /// The import that did not end, if any: packages of its bundle may be in their old or their new state.
    package func openImport() throws -> ImportRecord? {
        try database.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM import WHERE state = 'applying' AND kind = 'import' ORDER BY id DESC").map(Self.record)
        }
    }

    /// The import of that number.
    package func entry(_ id: Int64) throws -> ImportRecord? {
        try database.read { db in try Row.fetchOne(db, sql: "SELECT * FROM import WHERE id = ?", arguments: [id]).map(Self.record) }
    }

    static func record(_ row: Row) throws -> ImportRecord {
        guard let bundle = Identifier(row["bundle"] as String, .bundle), let origin = Identifier(row["origin"] as String, .origin),
            let root = SHA512Digest(hex: row["target_root"] as String), let started = Timestamp(row["started"] as String),
            let state = ImportRecord.State(rawValue: row["state"]), let kind = ImportRecord.Kind(rawValue: row["kind"])
        else { throw LedgerError.damaged("import \(row["id"] as DatabaseValue)") }
        let pairs = (row["outcomes"] as String).split(separator: " ").map { $0.split(separator: "=") }
        return ImportRecord(
            id: row["id"], kind: kind, undoes: row["undoes"], bundle: bundle, label: row["label"], origin: origin,
            sequence: row["sequence"], targetRoot: root,
            started: started, finished: (row["finished"] as String?).flatMap { Timestamp($0) }, state: state,
            keys: (row["keys"] as String).split(separator: " ").map(String.init), operatorName: row["operator"], source: row["source"],
            outcomes: Dictionary(pairs.compactMap { $0.count == 2 ? (String($0[0]), Int($0[1]) ?? 0) : nil }) { $1 },
            details: (try? JSONParser.parse(Array((row["details"] as String).utf8), mode: .strict))?.object ?? JSONObject(),
            digest: row["digest"], previous: row["previous"])
    }

    /// The highest sequence of an origin that was applied; 0 before the first.
    package func newestSequence(of origin: Identifier) throws -> Int64 {
        try database.read { db in
            try Int64.fetchOne(
                db, sql: "SELECT max(sequence) FROM import WHERE origin = ? AND kind = 'import' AND state = 'applied'",
                arguments: [origin.text]) ?? 0
        }
    }

    /// Whether a signed bundle of this origin was ever applied: from then on unsigned ones are refused.
    package func hasSignedImport(of origin: Identifier) throws -> Bool {
        try database.read { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM import WHERE origin = ? AND keys <> '')", arguments: [origin.text]) ?? false
        }
    }

    /// What the ledger knows of packages: one look for many of them.
    package func views(of packages: [PackageName], origin: Identifier) throws -> [PackageName: AppliedView] {
        try database.read { db in
            var views: [PackageName: AppliedView] = [:]
            for package in packages {
                views[package] = AppliedView(
                    deliveries: try Self.deliveries(of: package, db), form: try Self.appliedForm(of: package, origin: origin, db),
                    wasBrought: try Self.wasBrought(package, origin: origin, db))
            }
            return views
        }
    }

    private static func wasBrought(_ package: PackageName, origin: Identifier, _ db: Database) throws -> Bool {
        let statement = try db.cachedStatement(
            sql: """
                SELECT 1 FROM fresh_package JOIN import ON import.id = import
                WHERE package = ? AND origin = ? AND state = 'rolled-back' LIMIT 1
                """)
        return try Int.fetchOne(statement, arguments: [package.text, origin.text]) != nil
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
        let data = try database.read { db in
            try Data.fetchOne(
                db.cachedStatement(sql: "SELECT form FROM form WHERE origin = ? AND package = ?"), arguments: [origin.text, package.text])
        }
        return try data.map { try ZstdBuffer.decompress(Array($0), limit: Int(SnapshotFile.packumentLimit)) }
    }
}

extension Ledger {
    /// Takes the next counter of a receipt; one that was taken is never given again.
    package func takeReceiptCounter() throws -> Int64 {
        try database.write { db in
            let last = try String.fetchOne(db, sql: "SELECT value FROM setting WHERE name = 'receipt.counter'").flatMap { Int64($0) } ?? 0
            try db.execute(
                sql: "INSERT INTO setting VALUES ('receipt.counter', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                arguments: ["\(last + 1)"])
            return last + 1
        }
    }
}
