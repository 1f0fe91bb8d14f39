-- Key rings: rows that never change, from which every phase is computed. Contract: keys.md section 3.
-- Times and spans are microseconds; times are UTC of the database clock.

CREATE TABLE ring (
  ring_id    TEXT COLLATE "C" PRIMARY KEY,
  tenant     TEXT COLLATE "C" NOT NULL,
  name       TEXT COLLATE "C" NOT NULL,
  key_use    TEXT   NOT NULL CHECK (key_use IN ('sign', 'mac', 'decrypt')),
  alg        TEXT   NOT NULL,
  mode       TEXT   NOT NULL CHECK (mode IN ('rotating', 'static')),
  kid_prefix TEXT   NOT NULL,
  signer     TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (tenant, name)
);

CREATE TABLE ring_policy (
  ring_id         TEXT COLLATE "C" NOT NULL REFERENCES ring (ring_id),
  version         BIGINT NOT NULL,
  rotation_period BIGINT,
  publish_lead    BIGINT NOT NULL,
  max_lifetime    BIGINT,
  assumed_cache   BIGINT NOT NULL,
  jwks_max_age    BIGINT NOT NULL,
  max_staleness   BIGINT NOT NULL,
  leeway          BIGINT NOT NULL,
  over_life       TEXT   NOT NULL CHECK (over_life IN ('cut', 'refuse', 'keep')),
  standby         TEXT   NOT NULL CHECK (standby IN ('at_once', 'at_lead')),
  created_at      BIGINT NOT NULL,
  PRIMARY KEY (ring_id, version)
);

CREATE TABLE store_policy (
  version       BIGINT PRIMARY KEY,
  fresh_for     BIGINT NOT NULL,
  refresh_every BIGINT NOT NULL,
  clock_error   BIGINT NOT NULL,
  write_window  BIGINT NOT NULL,
  created_at    BIGINT NOT NULL
);

-- The primary key is the fence: of several that make generation n, one has.
CREATE TABLE generation (
  ring_id     TEXT COLLATE "C" NOT NULL REFERENCES ring (ring_id),
  n           BIGINT NOT NULL CHECK (n >= 1),
  tenant      TEXT COLLATE "C" NOT NULL,
  kid         TEXT COLLATE "C" NOT NULL,
  thumbprint  TEXT COLLATE "C" NOT NULL,
  public_jwk  TEXT,
  origin      TEXT   NOT NULL CHECK (origin IN ('generated', 'imported')),
  signer_ref  TEXT,
  created_at  BIGINT NOT NULL,
  activate_at BIGINT NOT NULL CHECK (activate_at >= created_at),
  row_digest  BYTEA  NOT NULL,
  PRIMARY KEY (ring_id, n),
  UNIQUE (tenant, kid),
  UNIQUE (tenant, thumbprint)
);

CREATE TABLE key_event (
  ring_id   TEXT COLLATE "C" NOT NULL REFERENCES ring (ring_id),
  seq       BIGINT NOT NULL,
  kind      TEXT   NOT NULL CHECK (kind IN ('created', 'hastened', 'horizon', 'revoked', 'destroyed', 'policy')),
  n         BIGINT,
  at        BIGINT NOT NULL,
  until     BIGINT,
  reason    TEXT   NOT NULL,
  digest    BYTEA,
  prev_hash BYTEA  NOT NULL,
  hash      BYTEA  NOT NULL,
  PRIMARY KEY (ring_id, seq)
);

CREATE TABLE verify_only (
  tenant     TEXT COLLATE "C" NOT NULL,
  kid        TEXT COLLATE "C" NOT NULL,
  public_jwk TEXT   NOT NULL,
  until      BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant, kid)
);

CREATE TABLE ring_epoch (
  ring_id TEXT COLLATE "C" PRIMARY KEY REFERENCES ring (ring_id),
  epoch   BIGINT NOT NULL
);

-- F, R, S and X as the contract's section 5 has them.
INSERT INTO store_policy VALUES
  (1, 60000000, 10000000, 5000000, 60000000, now_us());

CREATE TRIGGER ring_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ring
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ring_policy_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ring_policy
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER store_policy_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON store_policy
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER generation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON generation
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER key_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON key_event
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER verify_only_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON verify_only
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION ring_epoch_rises() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN
   IF new.epoch <= old.epoch OR new.ring_id <> old.ring_id THEN
     RAISE EXCEPTION ''ring_epoch only rises'';
   END IF;
   RETURN new;
 END';
CREATE TRIGGER ring_epoch_rises BEFORE UPDATE ON ring_epoch FOR EACH ROW EXECUTE FUNCTION ring_epoch_rises();
CREATE TRIGGER ring_epoch_stays BEFORE DELETE OR TRUNCATE ON ring_epoch
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
