package import CanonicalJSON
import Databases
import Foundation
import GRDB
import Integrity
package import PackageStore
package import Platform
package import Snapshots

extension Ledger {
    /// Keeps what packages became, or with outcomes `intended` what they are about to become, and what was recorded of them before.
    ///
    /// An intention leaves what was recorded of a file before, unless that was a refusal.
    ///
    /// - Parameter fresh: packages that are not here yet.
    package func record(
        _ deliveries: [PackageDelivery], origin: Identifier, import id: Int64, fresh: [PackageName] = []
    ) throws {
        try database.write { db in
            let writer = try DeliveryWriter(db, origin: origin, import: id)
            for delivery in deliveries {
                for record in delivery.files { try writer.write(record, of: delivery.package) }
                if let form = delivery.form { try writer.write(form, of: delivery.package) }
            }
            for package in fresh {
                try db.cachedStatement(sql: "INSERT OR IGNORE INTO fresh_package VALUES (?, ?)").execute(arguments: [id, package.text])
            }
        }
    }

    /// Which of these packages were not here when an import came to them first.
    package func fresh(among packages: [PackageName], import id: Int64) throws -> Set<PackageName> {
        try database.read { db in
            let statement = try db.cachedStatement(sql: "SELECT 1 FROM fresh_package WHERE import = ? AND package = ?")
            return try Set(packages.filter { try Int.fetchOne(statement, arguments: [id, $0.text]) != nil })
        }
    }

    /// Whether an import has left something undone that it meant to bring, such as into a package whose packument it could not read.
    package func hasUndone(_ id: Int64) throws -> Bool {
        try database.read { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM change WHERE import = ? AND outcome = 'intended')", arguments: [id]) ?? false
        }
    }

    /// Ends an import: counts its outcomes and chains its row to the one before.
    ///
    /// - Parameter details: what else is recorded of it.
    package func finish(
        _ id: Int64, outcomes: [String: Int], details: JSONObject = JSONObject(), at moment: Timestamp
    ) throws {
        try database.write { db in
            try Self.finish(id, outcomes: outcomes, details: details, at: moment, db)
        }
    }

    static func finish(_ id: Int64, outcomes: [String: Int], details: JSONObject, at moment: Timestamp, _ db: Database) throws {
        let text = outcomes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        let previous = try String.fetchOne(db, sql: "SELECT digest FROM import WHERE digest IS NOT NULL ORDER BY chained DESC LIMIT 1")
        try db.execute(
            sql: """
                UPDATE import SET state = 'applied', finished = ?, outcomes = ?, details = ?, content = ?, previous = ?,
                    chained = (SELECT ifnull(max(chained), 0) + 1 FROM import) WHERE id = ?
                """,
            arguments: [
                moment.description, text, String(decoding: JSONValue.object(details).canonicalBytes, as: UTF8.self),
                try content(of: id, db).hex, previous ?? "", id,
            ])
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM import WHERE id = ?", arguments: [id]) else {
            throw LedgerError.damaged("import \(id) is gone")
        }
        try db.execute(sql: "UPDATE import SET digest = ? WHERE id = ?", arguments: [digest(of: row).hex, id])
    }

    /// The digest of a finished row, which the next one holds.
    static func digest(of row: Row) -> SHA512Digest {
        var columns = [
            "chained", "previous", "id", "bundle", "label", "origin", "sequence", "target_root", "started", "finished", "keys", "operator",
            "source", "outcomes",
        ]
        if row["format"] as Int64 >= 2 { columns += ["kind", "undoes", "details", "content"] }
        let text = columns.map { "\($0)=\(row[$0] as DatabaseValue)\n" }.joined()
        return SHA512.digest(of: Array(text.utf8))
    }

    /// The digest of all that an import made of files.
    static func content(of id: Int64, _ db: Database) throws -> SHA512Digest {
        let hasher = SHA512Hasher()
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT digest, package, file, ifnull(version, ''), ifnull(size, ''), outcome, carried
                FROM change WHERE import = ? ORDER BY package, file, digest
                """, arguments: [id])
        while let row = try rows.next() {
            let words = (1...6).map { word(row[$0]) }
            let digest = SHA512Digest(bytes: Array(row[0] as Data))?.hex ?? ""
            hasher.update(Array("\(digest) \(words.joined(separator: " "))\n".utf8))
        }
        return hasher.finalize()
    }

    /// A value as the digests have it: numbers bare, texts in quotes, with escapes as Swift writes them.
    private static func word(_ value: DatabaseValue) -> String {
        // Nearly all are of characters that need no escape.
        if case .string(let text) = value.storage, text.utf8.allSatisfy({ 0x20..<0x7F ~= $0 && $0 != 0x22 && $0 != 0x5C }) {
            return "\"\(text)\""
        }
        return "\(value)"
    }
}

/// Writes what becomes of files and forms, each after what was recorded before.
private struct DeliveryWriter {
    private let db: Database
    private let origin: String
    private let id: Int64
    private let change: Statement
    private let outcome: Statement
    private let delivery: Statement
    private let replaced: Statement
    private let form: Statement

    init(_ db: Database, origin: Identifier, import id: Int64) throws {
        self.db = db
        self.origin = origin.text
        self.id = id
        // ?1 import, ?2 package, ?3 file, ?4 digest, ?5 outcome, ?6 size, ?7 version, ?8 origin: of all three alike, for there are many.
        // What is held as it was before, and was not carried, is no change.
        change = try db.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO change
                    (import, package, file, digest, version, size, outcome, carried, owned, prior_outcome, prior_import, prior_size)
                SELECT ?1, ?2, ?3, ?4, ?7, ?6, ?5, ?5 = 'intended', ?5 = 'added', known.outcome, known.import, known.size
                FROM (SELECT 1) LEFT JOIN delivery AS known
                    ON known.package = ?2 AND known.file = ?3 AND known.digest = ?4 AND known.origin = ?8
                WHERE ?5 <> 'held' OR known.outcome IS NULL OR known.outcome NOT IN ('added', 'held', 'healed')
                """)
        // A second try finds what the first one brought; that does not make it less brought.
        outcome = try db.cachedStatement(
            sql: """
                UPDATE change SET outcome = ?5, size = ifnull(?6, size), version = ifnull(?7, version), owned = ?5 = 'added'
                WHERE import = ?1 AND package = ?2 AND file = ?3 AND digest = ?4 AND NOT (?5 = 'held' AND outcome IN ('added', 'healed'))
                """)
        delivery = try db.cachedStatement(
            sql: """
                INSERT INTO delivery VALUES (?2, ?3, ?4, ?8, ?6, ?5, ?1)
                ON CONFLICT DO UPDATE SET size = ifnull(excluded.size, size), outcome = excluded.outcome, import = excluded.import
                WHERE excluded.outcome NOT IN ('intended', 'withdrawn') OR outcome IN ('conflict', 'owned-locally', 'absent')
                """)
        replaced = try db.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO replaced_form
                SELECT :import, :package, known.digest, iif(known.digest = :digest, NULL, known.form), known.revision, known.device,
                    known.inode, known.size, known.modified, known.changed, known.import
                FROM (SELECT 1) LEFT JOIN form AS known ON known.origin = :origin AND known.package = :package
                """)
        form = try db.cachedStatement(sql: "INSERT OR REPLACE INTO form VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    }

    func write(_ record: DeliveryRecord, of package: PackageName) throws {
        let outcomeArguments: [(any DatabaseValueConvertible)?] = [
            id, package.text, record.path.file.text, Data(record.digest.bytes), record.outcome.rawValue, record.size, record.version?.text,
        ]
        let arguments = StatementArguments(outcomeArguments + [origin])
        var isRecorded = false
        if record.outcome != .intended {
            try outcome.execute(arguments: StatementArguments(outcomeArguments))
            isRecorded = db.changesCount > 0
        }
        if !isRecorded { try change.execute(arguments: arguments) }
        try delivery.execute(arguments: arguments)
    }

    func write(_ kept: KeptForm, of package: PackageName) throws {
        let applied = kept.applied
        let digest = Data(applied.digest.bytes)
        try replaced.execute(arguments: ["import": id, "package": package.text, "origin": origin, "digest": digest])
        let identity = applied.identity
        try form.execute(arguments: [
            origin, package.text, digest, Data(kept.compressed), applied.revision.text, Int64(bitPattern: identity.device),
            Int64(bitPattern: identity.inode), identity.size, identity.modified, identity.changed, id,
        ])
    }
}
