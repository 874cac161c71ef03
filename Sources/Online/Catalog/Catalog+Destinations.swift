import BundleFormat
import Databases
import Foundation
import GRDB
import Integrity
package import Platform
package import Snapshots

extension Catalog {
    // MARK: Destinations

    /// The isolated registries that are known, by name.
    package func knownDestinations() throws -> [DestinationRecord] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM destination ORDER BY name, id").map(Self.destination)
        }
    }

    /// The isolated registry of that id; `nil` where it is not known.
    package func knownDestination(_ id: Identifier) throws -> DestinationRecord? {
        try read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM destination WHERE id = ?", arguments: [id.text]).map(Self.destination)
        }
    }

    /// Keeps what is known of a destination, in place of what was.
    package func keep(_ destination: DestinationRecord) throws {
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO destination VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET name = excluded.name,
                        key = excluded.key, confirmed = excluded.confirmed, baseline = excluded.baseline, approves = excluded.approves,
                        quiet_days = excluded.quiet_days
                    """,
                arguments: [
                    destination.id.text, destination.name, destination.key.base64, destination.firstSeen.nanoseconds,
                    destination.confirmed?.nanoseconds, destination.baseline.rawValue, destination.approvesRequests, destination.quietDays,
                ])
        }
    }

    /// Forgets a destination with its receipts and requests; `false` where it is not known.
    package func forgetDestination(_ id: Identifier) throws -> Bool {
        try write { db in
            for table in ["receipt", "request"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE destination = ?", arguments: [id.text])
            }
            try db.execute(sql: "DELETE FROM destination WHERE id = ?", arguments: [id.text])
            return db.changesCount > 0
        }
    }

    private static func destination(_ row: Row) throws -> DestinationRecord {
        guard let id = Identifier(row["id"] as String, .destination), let key = try? MinisignPublicKey(text: row["key"] as String),
            let baseline = DestinationRecord.BaselinePolicy(rawValue: row["baseline"])
        else { throw DatabaseFileError.damaged("the destination \(row["id"] as DatabaseValue)") }
        return DestinationRecord(
            id: id, name: row["name"], key: key, firstSeen: Timestamp(nanoseconds: row["first_seen"]),
            confirmed: (row["confirmed"] as Int64?).map { Timestamp(nanoseconds: $0) }, baseline: baseline,
            approvesRequests: row["approves"], quietDays: row["quiet_days"])
    }

    // MARK: Receipts

    /// The receipts of a destination, the last that was taken first.
    package func receipts(of destination: Identifier) throws -> [ReceiptRecord] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM receipt WHERE destination = ? ORDER BY id DESC", arguments: [destination.text])
                .map(Self.receipt)
        }
    }

    /// The last receipt that was taken of a destination, with its document; `nil` before the first.
    package func lastReceipt(of destination: Identifier) throws -> (record: ReceiptRecord, document: [UInt8])? {
        try read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT * FROM receipt WHERE destination = ? ORDER BY id DESC LIMIT 1", arguments: [destination.text])
            return try row.map { (try Self.receipt($0), Array($0["document"] as Data)) }
        }
    }

    /// Takes a receipt, and what requests it fulfils with it.
    package func add(_ receipt: ReceiptRecord, document: [UInt8], fulfilling requests: [Identifier]) throws {
        try write(bytes: Int64(document.count)) { db in
            try db.execute(sql: "UPDATE receipt SET document = x'' WHERE destination = ?", arguments: [receipt.destination.text])
            try db.execute(
                sql: """
                    INSERT INTO receipt (destination, counter, created, read, bundle, sequence, target_root, missing, refused, digest, document)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    receipt.destination.text, receipt.counter, receipt.created.nanoseconds, receipt.read.nanoseconds, receipt.bundle?.text,
                    receipt.sequence, receipt.targetRoot?.hex, receipt.missing, receipt.refused, Data(receipt.digest.bytes), Data(document),
                ])
            for request in requests { try Self.set(.fulfilled, of: request, at: receipt.read, db) }
        }
    }

    private static func receipt(_ row: Row) throws -> ReceiptRecord {
        guard let destination = Identifier(row["destination"] as String, .destination),
            let digest = SHA512Digest(bytes: Array(row["digest"] as Data))
        else { throw DatabaseFileError.damaged("receipt \(row["id"] as DatabaseValue)") }
        return ReceiptRecord(
            destination: destination, counter: row["counter"], created: Timestamp(nanoseconds: row["created"]),
            read: Timestamp(nanoseconds: row["read"]), bundle: (row["bundle"] as String?).flatMap { Identifier($0, .bundle) },
            sequence: row["sequence"], targetRoot: (row["target_root"] as String?).flatMap { SHA512Digest(hex: $0) },
            missing: row["missing"], refused: row["refused"], digest: digest)
    }

    // MARK: Requests

    /// The requests that were taken, the last first.
    ///
    /// - Parameters:
    ///   - states: only those in one of them; `nil` for all.
    ///   - destination: only its; `nil` for all.
    package func requests(in states: Set<RequestRecord.State>? = nil, of destination: Identifier? = nil) throws -> [RequestRecord] {
        try read { db in
            let records = try Row.fetchAll(db, sql: "SELECT * FROM request ORDER BY read DESC, id").map(Self.request)
            return records.filter { record in
                states?.contains(record.state) != false && (destination == nil || record.destination == destination)
            }
        }
    }

    /// A request with its document; `nil` where there is none of that id.
    package func request(_ id: Identifier) throws -> (record: RequestRecord, document: [UInt8])? {
        try read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM request WHERE id = ?", arguments: [id.text]).map {
                (try Self.request($0), Array($0["document"] as Data))
            }
        }
    }

    /// Takes a request; one that was taken before stays as it is.
    package func add(_ request: RequestRecord, document: [UInt8]) throws {
        try write(bytes: Int64(document.count)) { db in
            try db.execute(
                sql: "INSERT INTO request VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                arguments: [
                    request.id.text, request.destination.text, request.kind.rawValue, request.created.nanoseconds,
                    request.read.nanoseconds, request.state.rawValue, request.changed.nanoseconds, request.bundle?.text, request.items,
                    Data(document),
                ])
        }
    }

    /// Decides upon a request: what an approved one wants is wanted from then on, and no longer once it is declined.
    package func decide(_ id: Identifier, _ state: RequestRecord.State, wanting specs: [String], at moment: Timestamp) throws {
        try write(bytes: specs.reduce(0) { $0 + Int64($1.utf8.count + 40) }) { db in
            try Self.set(state, of: id, at: moment, db)
            let statement = try db.cachedStatement(sql: "INSERT INTO want VALUES (?, ?) ON CONFLICT DO NOTHING")
            for spec in specs { try statement.execute(arguments: [spec, Self.source(of: id)]) }
        }
    }

    /// What wants of a request are listed under.
    static func source(of request: Identifier) -> String { "request \(request)" }

    private static func set(_ state: RequestRecord.State, of id: Identifier, at moment: Timestamp, _ db: Database) throws {
        try db.execute(
            sql: "UPDATE request SET state = ?, changed = ? WHERE id = ?", arguments: [state.rawValue, moment.nanoseconds, id.text])
        try db.execute(sql: "DELETE FROM want WHERE lockfile = ?", arguments: [source(of: id)])
    }

    private static func request(_ row: Row) throws -> RequestRecord {
        guard let id = Identifier(row["id"] as String, .request), let kind = RequestRecord.Kind(rawValue: row["kind"]),
            let destination = Identifier(row["destination"] as String, .destination),
            let state = RequestRecord.State(rawValue: row["state"])
        else { throw DatabaseFileError.damaged("request \(row["id"] as DatabaseValue)") }
        return RequestRecord(
            id: id, destination: destination, kind: kind, created: Timestamp(nanoseconds: row["created"]),
            read: Timestamp(nanoseconds: row["read"]), state: state, changed: Timestamp(nanoseconds: row["changed"]),
            bundle: (row["bundle"] as String?).flatMap { Identifier($0, .bundle) }, items: row["items"])
    }

    // MARK: Exports

    /// Notes that a bundle is on a medium, read back and equal.
    package func noteExport(_ export: ExportRecord) throws {
        try write { db in
            try db.execute(
                sql: "INSERT INTO exported (bundle, medium, written) VALUES (?, ?, ?)",
                arguments: [export.bundle.text, export.medium, export.written.nanoseconds])
        }
    }

    /// The bundles that were put on media, the last first.
    package func exports() throws -> [ExportRecord] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM exported ORDER BY id DESC").compactMap { row in
                Identifier(row["bundle"] as String, .bundle).map {
                    ExportRecord(bundle: $0, medium: row["medium"], written: Timestamp(nanoseconds: row["written"]))
                }
            }
        }
    }

    /// Bundles on media that may have been lost on the way.
    private static let exportsInDoubt = 3

    /// Where nothing comes back, the bundle that a destination is taken to have: the third-last one for it that was put on a medium; `nil`
    /// where there are fewer (DESIGN §3.6).
    package func assumedBundle(for destination: Identifier) throws -> BundleRecord? {
        var exported: [Identifier] = []
        for export in try exports() where !exported.contains(export.bundle) {
            guard let bundle = try bundle(export.bundle), bundle.destination == .any || bundle.destination == .only(destination) else {
                continue
            }
            exported.append(export.bundle)
            if exported.count == Self.exportsInDoubt { return bundle }
        }
        return nil
    }
}
