package import GRDB
import Platform
package import SystemPackage

/// An SQLite database of a state directory.
///
/// Several processes may use it at once. Every change is durable when its call returns.
package final class DatabaseFile: Sendable {
    private let pool: DatabasePool
    private let room: Room

    /// Opens the database, creating it and bringing it up to date where needed.
    ///
    /// - Parameters:
    ///   - patience: seconds that a database is waited for which another process has locked.
    ///   - freeBytes: asks how much the disk that holds a directory still takes; a test gives its own answer.
    /// - Throws: `DatabaseFileError`, as every call that follows.
    package init(
        opening path: FilePath, migrator: DatabaseMigrator, patience: Double = 10,
        freeBytes: @escaping @Sendable (FilePath) throws -> Int64 = { try FileSystemSpace(holding: $0).freeBytes }
    ) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(patience)
        configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
        let room = Room(path: path, freeBytes: freeBytes)
        self.room = room
        pool = try room.working {
            let pool = try DatabasePool(path: path.string, configuration: configuration)
            if let form = try pool.read({ try migrator.unknownForm($0) }) {
                throw DatabaseFileError.newer(path, form: form, known: migrator.newestForm)
            }
            try migrator.migrate(pool)
            return pool
        }
    }

    /// Reads what was committed when it began.
    package func read<Result>(_ body: (Database) throws -> Result) throws -> Result { try room.naming { try pool.read(body) } }

    /// Changes all of it or nothing.
    ///
    /// - Parameter bytes: about how much is written.
    package func write<Result>(bytes: Int64 = 0, _ change: (Database) throws -> Result) throws -> Result {
        try room.working(bytes) { try pool.write(change) }
    }

    /// Changes all of it or nothing, without waiting for the disk: a power cut may take it back, a killed process does not.
    package func writeLazily<Result>(_ change: (Database) throws -> Result) throws -> Result {
        try room.working {
            try pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = NORMAL")
                defer { try? db.execute(sql: "PRAGMA synchronous = FULL") }
                var result: Result?
                try db.inTransaction {
                    result = try change(db)
                    return .commit
                }
                guard let result else { throw DatabaseFileError.damaged("a change had no result") }
                return result
            }
        }
    }

    /// The room that SQLite needs to work in.
    ///
    /// Readers go on beside a writer because of SQLite's write-ahead log, and the index of that log is a file mapped into memory: where
    /// the disk has no block for one of its pages, touching it ends the process. So nothing is begun without a reserve, and no change
    /// without room for it twice, in the log and in the database.
    private struct Room {
        let path: FilePath
        let freeBytes: @Sendable (FilePath) throws -> Int64

        /// Runs a body where there is room for it and so many bytes of data; a full disk is `DatabaseFileError.noSpace`, whoever finds it.
        func working<Result>(_ bytes: Int64 = 0, _ body: () throws -> Result) throws -> Result {
            guard try hasReserve(beside: 2 * bytes) else { throw DatabaseFileError.noSpace(path) }
            return try naming(body)
        }

        /// Runs a body and turns SQLite's errors into those that say what to do.
        func naming<Result>(_ body: () throws -> Result) throws -> Result {
            do { return try body() } catch let error as DatabaseError {
                let words = error.message ?? "SQLite error \(error.resultCode.rawValue)"
                switch error.resultCode {
                case .SQLITE_FULL: throw DatabaseFileError.noSpace(path)
                case .SQLITE_IOERR where (try? hasReserve(beside: 0)) == false: throw DatabaseFileError.noSpace(path)
                case .SQLITE_BUSY, .SQLITE_LOCKED: throw DatabaseFileError.locked(path)
                case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH, .SQLITE_IOERR:
                    throw DatabaseFileError.inaccessible(path, words)
                // A schema that has lost a table is an error of the statement, to SQLite.
                default: throw DatabaseFileError.corrupt(path, words)
                }
            }
        }

        private func hasReserve(beside bytes: Int64) throws -> Bool {
            let directory = path.parent
            return try freeBytes(directory.isEmpty ? "." : directory) >= FileSystemSpace.reserve + bytes
        }
    }
}
