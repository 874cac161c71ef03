package import GRDB

/// Forms of a database are numbered: 1, 2, 3, in the order in which programs brought them.
extension DatabaseMigrator {
    /// The form that databases are brought to.
    package var newestForm: String { migrations.last ?? "0" }

    /// The newest form of a database that is none of these; `nil` where it has only these.
    func unknownForm(_ db: Database) throws -> String? {
        guard try hasBeenSuperseded(db) else { return nil }
        let known = Set(migrations)
        return try appliedIdentifiers(db).filter { !known.contains($0) }.max { (Int($0) ?? 0) < (Int($1) ?? 0) }
    }
}
