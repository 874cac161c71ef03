-- A catalog of form 1, with a row of each kind.
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE scan_record (sort_key BLOB PRIMARY KEY, record BLOB NOT NULL) STRICT;
CREATE TABLE bundle (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, label TEXT NOT NULL, created TEXT NOT NULL,
    destination TEXT NOT NULL, baseline TEXT, target TEXT NOT NULL, target_root TEXT NOT NULL,
    files INTEGER NOT NULL, bytes INTEGER NOT NULL, packages INTEGER NOT NULL, removed INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL, keys TEXT NOT NULL
) STRICT;
INSERT INTO grdb_migrations VALUES ('1');
INSERT INTO setting VALUES ('origin','o-0123456789abcdefghjk'),('sequence','7');
INSERT INTO bundle (sequence,id,label,created,destination,baseline,target,target_root,files,bytes,packages,removed,size_bytes,keys) VALUES (7,'b-0123456789abcdefghjk','diff-202611190000','2026-11-19T00:00:00.000Z','any',NULL,'20261118T235900Z','abababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababab',2,300,1,0,400,'0123456789ABCDEF');
