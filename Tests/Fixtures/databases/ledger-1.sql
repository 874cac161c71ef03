-- A ledger of form 1, with a row of each kind.
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
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
INSERT INTO grdb_migrations VALUES ('1');
INSERT INTO setting VALUES ('destination','d-0123456789abcdefghjk');
INSERT INTO import (chained,previous,id,bundle,label,origin,sequence,target_root,started,finished,keys,operator,source,outcomes,state,digest) VALUES (1,'',1,'b-0123456789abcdefghjk','diff-202611190000','o-0123456789abcdefghjk',7,'abababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababab','2026-11-19T01:00:00.000Z','2026-11-19T01:00:01.000Z','0123456789ABCDEF','ann','stick','{"added":2}','applied','201b117f72ede45affef85ce380869b5aee2c340cbb8c0951349baf5301e4c96f64ccf0ed89f8c7dd7e71f7a3747239567e5aad97303de013d05b60d92e01bd8');
INSERT INTO delivery VALUES ('@corp/tool','tool-1.0.0.tgz',x'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','o-0123456789abcdefghjk',300,'added',1);
INSERT INTO form VALUES ('o-0123456789abcdefghjk','@corp/tool',x'efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef',x'7b7d','{}',1,2,3,4,5,1);
