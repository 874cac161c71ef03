import GRDB

/// The forms that the database has had, oldest first; one that was released never changes.
///
/// Names sort as their directories do, so `sort_key` is the name with a slash (`PackageName.sortKey`). Moments are nanoseconds since 1970.
extension DatabaseMigrator {
    static var catalog: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
                    CREATE TABLE scan_record (sort_key BLOB PRIMARY KEY, record BLOB NOT NULL) STRICT;
                    CREATE TABLE bundle (
                        sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, label TEXT NOT NULL, created TEXT NOT NULL,
                        destination TEXT NOT NULL, baseline TEXT, target TEXT NOT NULL, target_root TEXT NOT NULL,
                        files INTEGER NOT NULL, bytes INTEGER NOT NULL, packages INTEGER NOT NULL, removed INTEGER NOT NULL,
                        size_bytes INTEGER NOT NULL, keys TEXT NOT NULL
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("2") { db in
            // `checked` is in nanoseconds; `overlay` is NULL where it is empty.
            try db.execute(
                sql: """
                    CREATE TABLE upstream (
                        sort_key BLOB PRIMARY KEY, url TEXT NOT NULL, etag TEXT, checked INTEGER NOT NULL, overlay BLOB
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("3") { db in
            // `lockfile` is empty for what a person wants.
            try db.execute(
                sql: """
                    CREATE TABLE want (spec TEXT NOT NULL, lockfile TEXT NOT NULL, PRIMARY KEY (lockfile, spec)) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("4", migrate: inventory)
        migrator.registerMigration("5", migrate: upkeep)
        migrator.registerMigration("6", migrate: filters)
        migrator.registerMigration("7") { db in
            // A search takes those from what it has found, without a look at the rows of all.
            try db.execute(sql: "CREATE INDEX package_gone ON package (id, gone) WHERE gone IS NOT NULL")
        }
        migrator.registerMigration("8", migrate: needs)
        migrator.registerMigration("9", migrate: states)
        migrator.registerMigration("10", migrate: destinations)
        migrator.registerMigration("11", migrate: changes)
        return migrator
    }

    /// How often anything changed that packages are found, filtered or sorted by, whichever process changed it.
    private static func changes(_ db: Database) throws {
        let columns = "name, folded, base, source, latest, known, cached, bytes, broken, published, first_seen, changed, gone"
        try db.execute(
            sql: """
                CREATE TABLE package_state (number INTEGER NOT NULL) STRICT;
                INSERT INTO package_state VALUES (1);
                CREATE TRIGGER package_came AFTER INSERT ON package BEGIN UPDATE package_state SET number = number + 1; END;
                CREATE TRIGGER package_changed AFTER UPDATE OF \(columns) ON package
                    BEGIN UPDATE package_state SET number = number + 1; END;
                CREATE TRIGGER package_went AFTER DELETE ON package BEGIN UPDATE package_state SET number = number + 1; END;
                """)
    }

    /// What the `latest` versions of packages need, by the names of what they need; `kind` is the place of a `PackageNeed.Kind`.
    ///
    /// The next scan looks into every packument once more, since no listing is known of any.
    private static func needs(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE need (
                    name TEXT NOT NULL, package INTEGER NOT NULL, kind INTEGER NOT NULL, range TEXT NOT NULL, PRIMARY KEY (name, package)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX need_by_package ON need (package);
                UPDATE package SET listing = x'';
                """)
    }

    /// A bundle's sequence becomes the place of its target among the states (FORMAT.md §6.1); in the order of making bundles have a number.
    ///
    /// The states go on above every sequence that was given before.
    private static func states(_ db: Database) throws {
        try db.execute(
            sql: """
                ALTER TABLE bundle RENAME COLUMN sequence TO number;
                ALTER TABLE bundle ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
                UPDATE bundle SET sequence = number;
                ALTER TABLE carried RENAME COLUMN sequence TO bundle;
                UPDATE setting SET name = 'sequence.base' WHERE name = 'sequence';
                """)
    }

    /// The isolated registries, what came back from them, and which bundle was put on which medium.
    ///
    /// `confirmed` is NULL until a person has compared the fingerprint of the key. A receipt keeps its document as long as it is the last one
    /// of its destination.
    private static func destinations(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE destination (
                    id TEXT PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL, first_seen INTEGER NOT NULL, confirmed INTEGER,
                    baseline TEXT NOT NULL, approves INTEGER NOT NULL, quiet_days INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE receipt (
                    id INTEGER PRIMARY KEY, destination TEXT NOT NULL REFERENCES destination, counter INTEGER NOT NULL,
                    created INTEGER NOT NULL, read INTEGER NOT NULL, bundle TEXT, sequence INTEGER, target_root TEXT,
                    missing INTEGER NOT NULL, refused INTEGER NOT NULL, digest BLOB NOT NULL, document BLOB NOT NULL
                ) STRICT;
                CREATE INDEX receipt_by_destination ON receipt (destination, id);
                CREATE TABLE request (
                    id TEXT PRIMARY KEY, destination TEXT NOT NULL REFERENCES destination, kind TEXT NOT NULL, created INTEGER NOT NULL,
                    read INTEGER NOT NULL, state TEXT NOT NULL, changed INTEGER NOT NULL, bundle TEXT, items INTEGER NOT NULL,
                    document BLOB NOT NULL
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE exported (
                    id INTEGER PRIMARY KEY, bundle TEXT NOT NULL, medium TEXT NOT NULL, written INTEGER NOT NULL
                ) STRICT;
                """)
    }

    /// What the storage holds (`package`, `version`, `tag`, `tarball`), how that grew, what of it is damaged, and what travelled.
    ///
    /// A package that left the storage keeps its row, with `gone`, for the bundles that carried it. `content` is of what the packument
    /// says, so that one that was merely fetched again is not compared version by version. `folded` and `base` are what people type: the
    /// name, and its part behind the scope, in lower case. `packument` is 0 usable, 1 missing, 2 unusable. `flags` of a version: 1 local,
    /// 2 withdrawn upstream. `cached` counts versions whose tarball is there, `broken` the package's open rows of `broken_archives`.
    ///
    /// Each list is sorted by an index, ties by name, and the rows of gone packages are in none of them. Unchecked tarballs and unnamed
    /// ones are found by partial indexes, which stay small: almost all tarballs are checked and named.
    private static func inventory(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE package (
                    id INTEGER PRIMARY KEY, sort_key BLOB NOT NULL UNIQUE, name TEXT NOT NULL, folded TEXT NOT NULL, base TEXT NOT NULL,
                    listing BLOB NOT NULL, scanned INTEGER NOT NULL, content BLOB,
                    packument INTEGER NOT NULL, packument_error TEXT, packument_bytes INTEGER NOT NULL,
                    source TEXT NOT NULL, summary TEXT, latest TEXT,
                    known INTEGER NOT NULL, cached INTEGER NOT NULL, tarballs INTEGER NOT NULL, bytes INTEGER NOT NULL,
                    broken INTEGER NOT NULL DEFAULT 0, published INTEGER,
                    first_seen INTEGER NOT NULL, changed INTEGER NOT NULL, gone INTEGER
                ) STRICT;
                CREATE INDEX package_by_name ON package (folded, name) WHERE gone IS NULL;
                CREATE INDEX package_by_base ON package (base, name) WHERE gone IS NULL;
                CREATE INDEX package_by_latest ON package (latest, name) WHERE gone IS NULL;
                CREATE INDEX package_by_known ON package (known, name) WHERE gone IS NULL;
                CREATE INDEX package_by_cached ON package (cached, name) WHERE gone IS NULL;
                CREATE INDEX package_by_bytes ON package (bytes, name) WHERE gone IS NULL;
                CREATE INDEX package_by_broken ON package (broken, name) WHERE gone IS NULL;
                CREATE INDEX package_by_published ON package (published, name) WHERE gone IS NULL;
                CREATE INDEX package_by_first_seen ON package (first_seen, name) WHERE gone IS NULL;
                CREATE INDEX package_by_changed ON package (changed, name) WHERE gone IS NULL;
                CREATE INDEX package_by_source ON package (source, name) WHERE gone IS NULL;
                CREATE INDEX package_unusable ON package (id) WHERE packument <> 0 AND gone IS NULL;
                CREATE VIRTUAL TABLE package_search USING fts5(folded, content = '', tokenize = 'trigram');

                CREATE TABLE version (
                    package INTEGER NOT NULL, version TEXT NOT NULL, published INTEGER, deprecated TEXT, flags INTEGER NOT NULL,
                    first_seen INTEGER NOT NULL, changed INTEGER NOT NULL, PRIMARY KEY (package, version)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE tag (
                    package INTEGER NOT NULL, tag TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (package, tag)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE tarball (
                    package INTEGER NOT NULL, file TEXT NOT NULL, version TEXT, declared BLOB,
                    device INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL,
                    status_changed INTEGER NOT NULL,
                    sha512 BLOB, sha1 BLOB, checked INTEGER, note TEXT,
                    first_seen INTEGER NOT NULL, changed INTEGER NOT NULL, PRIMARY KEY (package, file)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX tarball_unchecked ON tarball (package, file, size) WHERE checked IS NULL;
                CREATE INDEX tarball_unnamed ON tarball (package, file) WHERE version IS NULL;

                CREATE TABLE storage_total (
                    taken INTEGER PRIMARY KEY, packages INTEGER NOT NULL, local_packages INTEGER NOT NULL, versions INTEGER NOT NULL,
                    cached INTEGER NOT NULL, tarballs INTEGER NOT NULL, tarball_bytes INTEGER NOT NULL, packument_bytes INTEGER NOT NULL,
                    damaged INTEGER NOT NULL
                ) STRICT;

                CREATE TABLE broken_archives (
                    id INTEGER PRIMARY KEY, package INTEGER NOT NULL, file TEXT NOT NULL, version TEXT, kind TEXT NOT NULL,
                    message TEXT NOT NULL, sha512 BLOB, size INTEGER NOT NULL, found INTEGER NOT NULL, checked INTEGER NOT NULL,
                    state TEXT NOT NULL, quarantined TEXT, is_gone_upstream INTEGER NOT NULL DEFAULT 0, UNIQUE (package, file)
                ) STRICT;
                CREATE INDEX broken_archives_by_state ON broken_archives (state, package, file);
                CREATE INDEX broken_archives_by_digest ON broken_archives (sha512) WHERE sha512 IS NOT NULL;
                CREATE TABLE repair_attempt (
                    id INTEGER PRIMARY KEY, broken INTEGER NOT NULL REFERENCES broken_archives (id), began INTEGER NOT NULL,
                    ended INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL
                ) STRICT;
                CREATE INDEX repair_attempt_by_broken ON repair_attempt (broken, began);

                CREATE TABLE carried (
                    package INTEGER NOT NULL, file TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (package, file, sequence)
                ) STRICT, WITHOUT ROWID;
                """)
    }

    /// How full things were, in the order in which they were measured, which a clock that is set back does not change; and which bundles'
    /// archives were removed, and when.
    ///
    /// What was not measured is NULL: storage that no command named, and sizes where only free space was asked for.
    private static func upkeep(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE measurement (
                    id INTEGER PRIMARY KEY, taken INTEGER NOT NULL,
                    storage_bytes INTEGER, storage_files INTEGER, state_bytes INTEGER, snapshots_bytes INTEGER, artifacts_bytes INTEGER,
                    logs_bytes INTEGER,
                    storage_free_bytes INTEGER, storage_total_bytes INTEGER,
                    state_free_bytes INTEGER NOT NULL, state_total_bytes INTEGER NOT NULL
                ) STRICT;
                ALTER TABLE bundle ADD COLUMN pruned INTEGER;
                """)
    }

    /// Indexes that hold all that lists are filtered by, too, so that rows which are passed over are not read.
    ///
    /// SQLite reads the row for `gone`, though the index is of rows without, unless the index holds it.
    private static func filters(_ db: Database) throws {
        let old = ["name", "latest", "known", "cached", "bytes", "broken", "published", "first_seen", "changed", "source"]
        for name in old { try db.execute(sql: "DROP INDEX package_by_\(name)") }
        let columns = ["folded", "latest", "known", "cached", "bytes", "broken", "published", "first_seen", "changed", "source"]
        for column in columns {
            let others = ["source", "broken"].filter { $0 != column }.joined(separator: ", ")
            try db.execute(
                sql: "CREATE INDEX package_in_order_of_\(column) ON package (\(column), name, \(others), gone) WHERE gone IS NULL")
        }
    }
}
