-- A catalog of form 8, with a row of each kind.
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE scan_record (sort_key BLOB PRIMARY KEY, record BLOB NOT NULL) STRICT;
CREATE TABLE bundle (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, label TEXT NOT NULL, created TEXT NOT NULL,
    destination TEXT NOT NULL, baseline TEXT, target TEXT NOT NULL, target_root TEXT NOT NULL,
    files INTEGER NOT NULL, bytes INTEGER NOT NULL, packages INTEGER NOT NULL, removed INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL, keys TEXT NOT NULL
, pruned INTEGER, sequence INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE upstream (
    sort_key BLOB PRIMARY KEY, url TEXT NOT NULL, etag TEXT, checked INTEGER NOT NULL, overlay BLOB
) STRICT;
CREATE TABLE want (spec TEXT NOT NULL, lockfile TEXT NOT NULL, PRIMARY KEY (lockfile, spec)) STRICT, WITHOUT ROWID;
CREATE TABLE package (
    id INTEGER PRIMARY KEY, sort_key BLOB NOT NULL UNIQUE, name TEXT NOT NULL, folded TEXT NOT NULL, base TEXT NOT NULL,
    listing BLOB NOT NULL, scanned INTEGER NOT NULL, content BLOB,
    packument INTEGER NOT NULL, packument_error TEXT, packument_bytes INTEGER NOT NULL,
    source TEXT NOT NULL, summary TEXT, latest TEXT,
    known INTEGER NOT NULL, cached INTEGER NOT NULL, tarballs INTEGER NOT NULL, bytes INTEGER NOT NULL,
    broken INTEGER NOT NULL DEFAULT 0, published INTEGER,
    first_seen INTEGER NOT NULL, changed INTEGER NOT NULL, gone INTEGER
) STRICT;
CREATE INDEX package_by_base ON package (base, name) WHERE gone IS NULL;
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
    package INTEGER NOT NULL, file TEXT NOT NULL, bundle INTEGER NOT NULL, PRIMARY KEY (package, file, bundle)
) STRICT, WITHOUT ROWID;
CREATE TABLE measurement (
    id INTEGER PRIMARY KEY, taken INTEGER NOT NULL,
    storage_bytes INTEGER, storage_files INTEGER, state_bytes INTEGER, snapshots_bytes INTEGER, artifacts_bytes INTEGER,
    logs_bytes INTEGER,
    storage_free_bytes INTEGER, storage_total_bytes INTEGER,
    state_free_bytes INTEGER NOT NULL, state_total_bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX package_in_order_of_folded ON package (folded, name, source, broken, gone) WHERE gone IS NULL;
CREATE INDEX package_in_order_of_latest ON package (latest, name, source, broken, gone) WHERE gone IS NULL;
CREATE INDEX package_in_order_of_known ON package (known, name, source, broken, gone) WHERE gone IS NULL;
CREATE INDEX package_in_order_of_cached ON package (cached, name, source, broken, gone) WHERE gone IS NULL;
CREATE INDEX package_in_order_of_bytes ON package (bytes, name, source, broken, gone) WHERE gone IS NULL;
CREATE INDEX package_in_order_of_broken ON package (broken, name, source, gone) WHERE gone IS NULL;
CREATE INDEX package_in_order_of_published ON package (published, name, source, broken, gone) WHERE gone IS NULL;
CREATE INDEX package_in_order_of_first_seen ON package (first_seen, name, source, broken, gone) WHERE gone IS NULL;
CREATE INDEX package_in_order_of_changed ON package (changed, name, source, broken, gone) WHERE gone IS NULL;
CREATE INDEX package_in_order_of_source ON package (source, name, broken, gone) WHERE gone IS NULL;
CREATE INDEX package_gone ON package (id, gone) WHERE gone IS NOT NULL;
CREATE TABLE need (
    name TEXT NOT NULL, package INTEGER NOT NULL, kind INTEGER NOT NULL, range TEXT NOT NULL, PRIMARY KEY (name, package)
) STRICT, WITHOUT ROWID;
CREATE INDEX need_by_package ON need (package);
INSERT INTO grdb_migrations VALUES ('1');
INSERT INTO grdb_migrations VALUES ('2');
INSERT INTO grdb_migrations VALUES ('3');
INSERT INTO grdb_migrations VALUES ('4');
INSERT INTO grdb_migrations VALUES ('5');
INSERT INTO grdb_migrations VALUES ('6');
INSERT INTO grdb_migrations VALUES ('7');
INSERT INTO grdb_migrations VALUES ('8');
INSERT INTO grdb_migrations VALUES ('9');
INSERT INTO setting VALUES ('origin','o-0123456789abcdefghjk'),('sequence.base','7');
INSERT INTO bundle (number,sequence,id,label,created,destination,baseline,target,target_root,files,bytes,packages,removed,size_bytes,keys) VALUES (7,7,'b-0123456789abcdefghjk','diff-202611190000','2026-11-19T00:00:00.000Z','any',NULL,'20261118T235900Z','abababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababab',2,300,1,0,400,'0123456789ABCDEF');
INSERT INTO upstream VALUES (CAST('@corp/tool/' AS BLOB),'https://registry.example/@corp%2ftool','W/"1"',1795000000000000000,NULL);
INSERT INTO want VALUES ('react@18',''),('left-pad','/srv/project/package-lock.json');
INSERT INTO package (id,sort_key,name,folded,base,listing,scanned,content,packument,packument_error,packument_bytes,source,summary,latest,known,cached,tarballs,bytes,broken,published,first_seen,changed,gone) VALUES
(1,CAST('@corp/tool/' AS BLOB),'@corp/tool','@corp/tool','tool',x'01',1795000000000000000,NULL,0,NULL,700,'npmjs','a tool','1.0.0',2,1,1,300,1,1795000000000000000,1795000000000000000,1795000000000000000,NULL);
INSERT INTO package_search (rowid,folded) VALUES (1,'@corp/tool');
INSERT INTO version VALUES (1,'1.0.0',1795000000000000000,NULL,0,1795000000000000000,1795000000000000000);
INSERT INTO tag VALUES (1,'latest','1.0.0');
INSERT INTO tarball VALUES (1,'tool-1.0.0.tgz','1.0.0',NULL,1,2,300,3,4,NULL,NULL,1795000000000000000,NULL,1795000000000000000,1795000000000000000);
INSERT INTO storage_total VALUES (1795000000000000000,1,0,2,1,1,300,700,1);
INSERT INTO broken_archives VALUES (1,1,'tool-1.0.0.tgz','1.0.0','truncated','it is cut off',NULL,300,1795000000000000000,1795000000000000000,'damaged',NULL,0);
INSERT INTO repair_attempt VALUES (1,1,1795000000000000000,1795000000000000000,'failed','uplink offline');
INSERT INTO carried VALUES (1,'tool-1.0.0.tgz',7);
INSERT INTO measurement VALUES (1,1795000000000000000,1000,2,500,NULL,NULL,NULL,9000,10000,9000,10000);
INSERT INTO need VALUES ('@corp/other',1,0,'^1.0.0');
