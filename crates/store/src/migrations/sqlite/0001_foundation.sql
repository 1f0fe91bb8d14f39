-- The ground floor: one root, sealed values, documents with their revisions, the audit chain.
-- Times are microseconds UTC of the database clock. Contract: keys.md sections 3, 10, 12 and 14.

CREATE TABLE meta (
  one            INTEGER PRIMARY KEY CHECK (one = 1),
  store_id       TEXT    NOT NULL,
  schema_version INTEGER NOT NULL,
  created_at     INTEGER NOT NULL
) STRICT;

CREATE TABLE kek (
  kek_id     TEXT    PRIMARY KEY,
  is_primary INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
  wrapped    BLOB    NOT NULL,
  root_id    TEXT    NOT NULL,
  check_box  BLOB    NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX kek_one_primary ON kek (is_primary) WHERE is_primary = 1;

CREATE TABLE sealed (
  owner  TEXT PRIMARY KEY,
  kek_id TEXT NOT NULL REFERENCES kek (kek_id),
  aead   TEXT NOT NULL,
  nonce  BLOB NOT NULL,
  box    BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE document_revision (
  tenant     TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  revision   INTEGER NOT NULL,
  kind       TEXT    NOT NULL,
  octets     BLOB    NOT NULL,
  digest     BLOB    NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, name, revision)
) STRICT;

-- Which revision is live. No row: the document is undeployed, its revisions stay.
CREATE TABLE document (
  tenant   TEXT    NOT NULL,
  name     TEXT    NOT NULL,
  revision INTEGER NOT NULL,
  place    INTEGER NOT NULL UNIQUE,
  PRIMARY KEY (tenant, name),
  FOREIGN KEY (tenant, name, revision) REFERENCES document_revision (tenant, name, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  seq           INTEGER PRIMARY KEY,
  at            INTEGER NOT NULL,
  actor         TEXT    NOT NULL,
  address       TEXT,
  action        TEXT    NOT NULL,
  object        TEXT    NOT NULL,
  digest_before BLOB,
  digest_after  BLOB,
  result        TEXT    NOT NULL,
  request_id    TEXT,
  prev_hash     BLOB    NOT NULL,
  hash          BLOB    NOT NULL
) STRICT;

CREATE INDEX audit_by_object ON audit (object, seq);

CREATE TRIGGER meta_keeps_its_id BEFORE UPDATE OF one, store_id, created_at ON meta
BEGIN SELECT RAISE(ABORT, 'meta: the store keeps its id'); END;
CREATE TRIGGER meta_stays BEFORE DELETE ON meta
BEGIN SELECT RAISE(ABORT, 'meta: the row stays'); END;

CREATE TRIGGER document_revision_no_update BEFORE UPDATE ON document_revision
BEGIN SELECT RAISE(ABORT, 'document_revision is append-only'); END;
CREATE TRIGGER document_revision_no_delete BEFORE DELETE ON document_revision
BEGIN SELECT RAISE(ABORT, 'document_revision is append-only'); END;

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
