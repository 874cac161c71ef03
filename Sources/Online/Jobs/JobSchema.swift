import GRDB

/// The forms that the database has had, oldest first; one that was released never changes.
///
/// Moments are nanoseconds since 1970. `revision` is the number of the change that a row was last part of, out of `counter`, so that whoever
/// follows asks for what is above the last one that it saw. `handled` says that nothing is left to be done about a job that ended: its chain
/// went on, its resumption was queued. At most one job of each step of a chain's run exists.
extension DatabaseMigrator {
    static var jobs: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
                    INSERT INTO counter VALUES ('revision', 0);
                    CREATE TABLE job (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, parameters TEXT NOT NULL, asker TEXT NOT NULL,
                        chain TEXT, chain_root INTEGER, chain_step INTEGER, chain_steps TEXT,
                        state TEXT NOT NULL, created INTEGER NOT NULL, started INTEGER, ended INTEGER, time_limit INTEGER,
                        process INTEGER, waiting TEXT,
                        phase TEXT, done INTEGER, total INTEGER, unit TEXT, item TEXT, rate REAL, seconds_left INTEGER,
                        exit_code INTEGER, reason TEXT, report TEXT, touched INTEGER NOT NULL DEFAULT 0,
                        resumptions INTEGER NOT NULL DEFAULT 0, handled INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL,
                        UNIQUE (chain_root, chain, chain_step)
                    ) STRICT;
                    CREATE INDEX job_by_revision ON job (revision);
                    CREATE INDEX job_by_state ON job (state, id);
                    CREATE INDEX job_by_kind ON job (kind, id);
                    CREATE INDEX job_unhandled ON job (id) WHERE handled = 0;
                    CREATE TABLE touched (job INTEGER NOT NULL, package TEXT NOT NULL, PRIMARY KEY (job, package)) STRICT, WITHOUT ROWID;
                    CREATE INDEX touched_by_package ON touched (package, job);
                    CREATE TABLE schedule (
                        name TEXT PRIMARY KEY, is_paused INTEGER NOT NULL DEFAULT 0, recurrence TEXT NOT NULL, handled INTEGER NOT NULL,
                        last_job INTEGER
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        return migrator
    }
}
