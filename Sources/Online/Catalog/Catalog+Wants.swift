import GRDB

/// Something that the cache must hold though nothing in storage asks for it.
package struct Want: Sendable, Hashable {
    /// `name@range`, or `name@version` where a lockfile has it.
    package let spec: String
    /// The lockfile it is from; `nil` where a person asked for it.
    package let lockfile: String?

    package init(spec: String, lockfile: String? = nil) {
        self.spec = spec
        self.lockfile = lockfile
    }
}

extension Catalog {
    /// Everything that is wanted, a person's first, then by lockfile; each sorted.
    package func wants() throws -> [Want] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT spec, lockfile FROM want ORDER BY lockfile, spec").map { row in
                let lockfile: String = row["lockfile"]
                return Want(spec: row["spec"], lockfile: lockfile.isEmpty ? nil : lockfile)
            }
        }
    }

    /// Adds what a person wants.
    package func want(_ specs: [String]) throws {
        try write { db in
            for spec in specs { try db.execute(sql: "INSERT INTO want VALUES (?, '') ON CONFLICT DO NOTHING", arguments: [spec]) }
        }
    }

    /// Makes these, and nothing else, what a lockfile wants.
    package func want(_ specs: [String], ofLockfile lockfile: String) throws {
        try write(bytes: specs.reduce(0) { $0 + Int64($1.utf8.count + lockfile.utf8.count) }) { db in
            try db.execute(sql: "DELETE FROM want WHERE lockfile = ?", arguments: [lockfile])
            let statement = try db.cachedStatement(sql: "INSERT INTO want VALUES (?, ?) ON CONFLICT DO NOTHING")
            for spec in specs { try statement.execute(arguments: [spec, lockfile]) }
        }
    }

    /// Takes back what a person wants, by its whole spec or by the package's name; returns how many there were.
    package func forget(_ spec: String) throws -> Int {
        try write { db in
            // A name holds neither `%` nor an escape, and `_` is compared as it is.
            try db.execute(
                sql: "DELETE FROM want WHERE lockfile = '' AND (spec = ?1 OR substr(spec, 1, length(?1) + 1) = ?1 || '@')",
                arguments: [spec])
            return db.changesCount
        }
    }

    /// Takes back what a lockfile wants; returns how many versions there were.
    package func forget(lockfile: String) throws -> Int {
        try write { db in
            try db.execute(sql: "DELETE FROM want WHERE lockfile = ?", arguments: [lockfile])
            return db.changesCount
        }
    }
}
