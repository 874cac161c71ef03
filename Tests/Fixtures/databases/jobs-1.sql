-- A record of jobs of form 1, with a row of each kind.
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
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
INSERT INTO grdb_migrations VALUES ('1');
INSERT INTO job (id,kind,parameters,asker,state,created,started,ended,exit_code,reason,report,touched,handled,revision) VALUES (3,'delta_refresh','{"minutes":60}','schedule:half-hourly','succeeded',1795000000000000000,1795000000000000000,1795000000000000000,0,'done','{"files":3}',1,1,1);
UPDATE counter SET value = 1;
INSERT INTO touched VALUES (3,'@corp/tool');
