-- The ground floor: one root, sealed values, documents with their revisions, the audit chain.
-- Times are microseconds UTC of the database clock. Contract: keys.md sections 3, 10, 12 and 14.
-- Names are ordered by their octets, as everywhere in the house; a locale would order them its own way.

CREATE FUNCTION now_us() RETURNS BIGINT LANGUAGE sql VOLATILE AS
'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN RAISE EXCEPTION ''% is append-only'', TG_TABLE_NAME; END';

CREATE TABLE meta (
  one            BIGINT PRIMARY KEY CHECK (one = 1),
  store_id       TEXT   NOT NULL,
  schema_version BIGINT NOT NULL,
  created_at     BIGINT NOT NULL
);

CREATE TABLE kek (
  kek_id     TEXT COLLATE "C" PRIMARY KEY,
  is_primary BIGINT NOT NULL CHECK (is_primary IN (0, 1)),
  wrapped    BYTEA  NOT NULL,
  root_id    TEXT   NOT NULL,
  check_box  BYTEA  NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX kek_one_primary ON kek (is_primary) WHERE is_primary = 1;

CREATE TABLE sealed (
  owner  TEXT COLLATE "C" PRIMARY KEY,
  kek_id TEXT COLLATE "C" NOT NULL REFERENCES kek (kek_id),
  aead   TEXT  NOT NULL,
  nonce  BYTEA NOT NULL,
  box    BYTEA NOT NULL
);

CREATE TABLE document_revision (
  tenant     TEXT COLLATE "C" NOT NULL,
  name       TEXT COLLATE "C" NOT NULL,
  revision   BIGINT NOT NULL,
  kind       TEXT   NOT NULL,
  octets     BYTEA  NOT NULL,
  digest     BYTEA  NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant, name, revision)
);

-- Which revision is live. No row: the document is undeployed, its revisions stay.
CREATE TABLE document (
  tenant   TEXT COLLATE "C" NOT NULL,
  name     TEXT COLLATE "C" NOT NULL,
  revision BIGINT NOT NULL,
  place    BIGINT NOT NULL UNIQUE,
  PRIMARY KEY (tenant, name),
  FOREIGN KEY (tenant, name, revision) REFERENCES document_revision (tenant, name, revision)
);

CREATE TABLE audit (
  seq           BIGINT PRIMARY KEY,
  at            BIGINT NOT NULL,
  actor         TEXT   NOT NULL,
  address       TEXT,
  action        TEXT   NOT NULL,
  object        TEXT COLLATE "C" NOT NULL,
  digest_before BYTEA,
  digest_after  BYTEA,
  result        TEXT   NOT NULL,
  request_id    TEXT,
  prev_hash     BYTEA  NOT NULL,
  hash          BYTEA  NOT NULL
);

CREATE INDEX audit_by_object ON audit (object, seq);

CREATE FUNCTION meta_keeps_its_id() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN
   IF (new.one, new.store_id, new.created_at) IS DISTINCT FROM (old.one, old.store_id, old.created_at) THEN
     RAISE EXCEPTION ''meta: the store keeps its id'';
   END IF;
   RETURN new;
 END';
CREATE TRIGGER meta_keeps_its_id BEFORE UPDATE ON meta FOR EACH ROW EXECUTE FUNCTION meta_keeps_its_id();
CREATE TRIGGER meta_stays BEFORE DELETE OR TRUNCATE ON meta FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER document_revision_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON document_revision
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
