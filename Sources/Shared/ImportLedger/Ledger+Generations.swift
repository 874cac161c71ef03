import Databases
import GRDB

extension Ledger {
    /// The imports that left a generation, oldest first, with the sub-directories of the storage it lies in.
    package func generations() throws -> [(import: ImportRecord, subdirectories: [String])] {
        try database.read { db in
            var found: [(import: ImportRecord, subdirectories: [String])] = []
            let rows = try Row.fetchCursor(
                db, sql: "SELECT import.*, subdirectory FROM generation JOIN import ON import.id = import ORDER BY import, subdirectory")
            while let row = try rows.next() {
                let record = try Self.record(row)
                if found.last?.import.id != record.id { found.append((record, [])) }
                found[found.count - 1].subdirectories.append(row["subdirectory"])
            }
            return found
        }
    }

    /// Forgets the generation of an import, which can then not be undone any more.
    package func forgetGeneration(of id: Int64) throws {
        try database.write { db in
            try db.execute(sql: "DELETE FROM generation WHERE import = ?", arguments: [id])
            try db.execute(sql: "DELETE FROM replaced_form WHERE import = ?", arguments: [id])
        }
    }

    /// How many generations are kept, and for how many days; `nil` for no limit.
    package func retention() throws -> (count: Int?, days: Int?) {
        (try setting("keep-generations").flatMap { Int($0) }, try setting("keep-days").flatMap { Int($0) })
    }

    /// Limits the generations that are kept after an import; what is `nil` stays as it was.
    package func setRetention(count: Int?, days: Int?) throws {
        if let count { try set("keep-generations", "\(count)") }
        if let days { try set("keep-days", "\(days)") }
    }
}
