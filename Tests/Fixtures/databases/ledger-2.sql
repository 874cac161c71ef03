-- A ledger of form 2, with a row of each kind.
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE import (
    id INTEGER PRIMARY KEY, bundle TEXT NOT NULL, label TEXT NOT NULL, origin TEXT NOT NULL,
    sequence INTEGER NOT NULL, target_root TEXT NOT NULL, started TEXT NOT NULL, finished TEXT,
    state TEXT NOT NULL, keys TEXT NOT NULL, operator TEXT NOT NULL, source TEXT NOT NULL,
    outcomes TEXT NOT NULL, chained INTEGER UNIQUE, previous TEXT NOT NULL, digest TEXT
, kind TEXT NOT NULL DEFAULT 'import', undoes INTEGER REFERENCES import, details TEXT NOT NULL DEFAULT '{}', content TEXT NOT NULL DEFAULT '', format INTEGER NOT NULL DEFAULT 1) STRICT;
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
INSERT INTO grdb_migrations VALUES ('1');
INSERT INTO grdb_migrations VALUES ('2');
INSERT INTO setting VALUES ('destination','d-0123456789abcdefghjk');
INSERT INTO import (chained,previous,id,bundle,label,origin,sequence,target_root,started,finished,keys,operator,source,outcomes,state,digest) VALUES (1,'',1,'b-0123456789abcdefghjk','diff-202611190000','o-0123456789abcdefghjk',7,'abababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababab','2026-11-19T01:00:00.000Z','2026-11-19T01:00:01.000Z','0123456789ABCDEF','ann','stick','{"added":2}','applied','201b117f72ede45affef85ce380869b5aee2c340cbb8c0951349baf5301e4c96f64ccf0ed89f8c7dd7e71f7a3747239567e5aad97303de013d05b60d92e01bd8');
INSERT INTO delivery VALUES ('@corp/tool','tool-1.0.0.tgz',x'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','o-0123456789abcdefghjk',300,'added',1);
INSERT INTO form VALUES ('o-0123456789abcdefghjk','@corp/tool',x'efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef',x'7b7d','{}',1,2,3,4,5,1);
INSERT INTO import (chained,previous,id,bundle,label,origin,sequence,target_root,started,finished,keys,operator,source,outcomes,kind,undoes,details,content,format,state,digest) VALUES (2,'201b117f72ede45affef85ce380869b5aee2c340cbb8c0951349baf5301e4c96f64ccf0ed89f8c7dd7e71f7a3747239567e5aad97303de013d05b60d92e01bd8',2,'b-1123456789abcdefghjk','diff-202611200000','o-0123456789abcdefghjk',8,'abababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababab','2026-11-20T01:00:00.000Z','2026-11-20T01:00:01.000Z','0123456789ABCDEF','ann','stick','{"added":1}','import',NULL,'{}','8e656f3015a33d4566a4a0c0ea6510d618d307576a337a09b1000cdbac534c46421163a723e7ffb96f5fb75ca82d353a2f2657217d6bd536d4dff289fd5ffe57',2,'applied','7bb65fd4e7ac5a4eaac731679763917ac20c005585d9a9d47e1fb52f3ad5931a0a3db8f0b90905d12a636f2c7acb5d24edfe4b95557cfa453272ccc021aed466');
INSERT INTO change (import,package,file,digest,version,size,outcome,carried,owned) VALUES (2,'@corp/tool','tool-1.1.0.tgz',x'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','1.1.0',200,'added',1,1);
INSERT INTO delivery VALUES ('@corp/tool','tool-1.1.0.tgz',x'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','o-0123456789abcdefghjk',200,'added',2);
INSERT INTO generation VALUES (2,'');
