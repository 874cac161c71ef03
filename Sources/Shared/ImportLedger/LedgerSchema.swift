import GRDB

/// The tables of the ledger, version by version; a version that was released is never edited.
enum LedgerSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { try $0.execute(sql: version1) }
        migrator.registerMigration("2") { try $0.execute(sql: version2) }
        return migrator
    }

    private static let version1 = """
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
        """

    /// What each import changed of the applied view, so that it can be undone and told of.
    ///
    /// `change` keeps what became of each file an import carried, or of which it changed the record; `prior_…` is the record as it was,
    /// `owned` whether undoing that import takes the file away. `replaced_form` keeps the base of the merge as it was: no digest where there
    /// was none, no form where it was the same. `fresh_package` are packages that were not here when the import came to them.
    private static let version2 = """
        ALTER TABLE import ADD COLUMN kind TEXT NOT NULL DEFAULT 'import';
        ALTER TABLE import ADD COLUMN undoes INTEGER REFERENCES import;
        ALTER TABLE import ADD COLUMN details TEXT NOT NULL DEFAULT '{}';
        ALTER TABLE import ADD COLUMN content TEXT NOT NULL DEFAULT '';
        ALTER TABLE import ADD COLUMN format INTEGER NOT NULL DEFAULT 1;
        CREATE TABLE change (
            import INTEGER NOT NULL REFERENCES import, package TEXT NOT NULL, file TEXT NOT NULL, digest BLOB NOT NULL,
            version TEXT, size INTEGER, outcome TEXT NOT NULL, carried INTEGER NOT NULL, owned INTEGER NOT NULL DEFAULT 0,
            prior_outcome TEXT, prior_import INTEGER, prior_size INTEGER,
            PRIMARY KEY (import, package, file, digest)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX change_of_file ON change (package, file, import);
        CREATE TABLE replaced_form (
            import INTEGER NOT NULL REFERENCES import, package TEXT NOT NULL, digest BLOB, form BLOB, revision TEXT, device INTEGER,
            inode INTEGER, size INTEGER, modified INTEGER, changed INTEGER, prior_import INTEGER, PRIMARY KEY (import, package)
        ) STRICT;
        CREATE TABLE fresh_package (
            import INTEGER NOT NULL REFERENCES import, package TEXT NOT NULL, PRIMARY KEY (import, package)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX fresh_of_package ON fresh_package (package);
        CREATE TABLE generation (
            import INTEGER NOT NULL REFERENCES import, subdirectory TEXT NOT NULL, PRIMARY KEY (import, subdirectory)
        ) STRICT, WITHOUT ROWID;
        """
}
