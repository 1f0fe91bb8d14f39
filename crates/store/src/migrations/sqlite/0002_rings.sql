-- Key rings: rows that never change, from which every phase is computed. Contract: keys.md section 3.
-- Times and spans are microseconds; times are UTC of the database clock.

CREATE TABLE ring (
  ring_id    TEXT    PRIMARY KEY,
  tenant     TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  key_use    TEXT    NOT NULL CHECK (key_use IN ('sign', 'mac', 'decrypt')),
  alg        TEXT    NOT NULL,
  mode       TEXT    NOT NULL CHECK (mode IN ('rotating', 'static')),
  kid_prefix TEXT    NOT NULL,
  signer     TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (tenant, name)
) STRICT;

CREATE TABLE ring_policy (
  ring_id         TEXT    NOT NULL REFERENCES ring (ring_id),
  version         INTEGER NOT NULL,
  rotation_period INTEGER,
  publish_lead    INTEGER NOT NULL,
  max_lifetime    INTEGER,
  assumed_cache   INTEGER NOT NULL,
  jwks_max_age    INTEGER NOT NULL,
  max_staleness   INTEGER NOT NULL,
  leeway          INTEGER NOT NULL,
  over_life       TEXT    NOT NULL CHECK (over_life IN ('cut', 'refuse', 'keep')),
  standby         TEXT    NOT NULL CHECK (standby IN ('at_once', 'at_lead')),
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (ring_id, version)
) STRICT;

CREATE TABLE store_policy (
  version       INTEGER PRIMARY KEY,
  fresh_for     INTEGER NOT NULL,
  refresh_every INTEGER NOT NULL,
  clock_error   INTEGER NOT NULL,
  write_window  INTEGER NOT NULL,
  created_at    INTEGER NOT NULL
) STRICT;

-- The primary key is the fence: of several that make generation n, one has.
CREATE TABLE generation (
  ring_id     TEXT    NOT NULL REFERENCES ring (ring_id),
  n           INTEGER NOT NULL CHECK (n >= 1),
  tenant      TEXT    NOT NULL,
  kid         TEXT    NOT NULL,
  thumbprint  TEXT    NOT NULL,
  public_jwk  TEXT,
  origin      TEXT    NOT NULL CHECK (origin IN ('generated', 'imported')),
  signer_ref  TEXT,
  created_at  INTEGER NOT NULL,
  activate_at INTEGER NOT NULL CHECK (activate_at >= created_at),
  row_digest  BLOB    NOT NULL,
  PRIMARY KEY (ring_id, n),
  UNIQUE (tenant, kid),
  UNIQUE (tenant, thumbprint)
) STRICT;

CREATE TABLE key_event (
  ring_id   TEXT    NOT NULL REFERENCES ring (ring_id),
  seq       INTEGER NOT NULL,
  kind      TEXT    NOT NULL CHECK (kind IN ('created', 'hastened', 'horizon', 'revoked', 'destroyed', 'policy')),
  n         INTEGER,
  at        INTEGER NOT NULL,
  until     INTEGER,
  reason    TEXT    NOT NULL,
  digest    BLOB,
  prev_hash BLOB    NOT NULL,
  hash      BLOB    NOT NULL,
  PRIMARY KEY (ring_id, seq)
) STRICT;

CREATE TABLE verify_only (
  tenant     TEXT    NOT NULL,
  kid        TEXT    NOT NULL,
  public_jwk TEXT    NOT NULL,
  until      INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, kid)
) STRICT;

CREATE TABLE ring_epoch (
  ring_id TEXT    PRIMARY KEY REFERENCES ring (ring_id),
  epoch   INTEGER NOT NULL
) STRICT;

-- F, R, S and X as the contract's section 5 has them.
INSERT INTO store_policy VALUES
  (1, 60000000, 10000000, 5000000, 60000000, now_us());

CREATE TRIGGER ring_no_update BEFORE UPDATE ON ring BEGIN SELECT RAISE(ABORT, 'ring is append-only'); END;
CREATE TRIGGER ring_no_delete BEFORE DELETE ON ring BEGIN SELECT RAISE(ABORT, 'ring is append-only'); END;
CREATE TRIGGER ring_policy_no_update BEFORE UPDATE ON ring_policy
BEGIN SELECT RAISE(ABORT, 'ring_policy is append-only'); END;
CREATE TRIGGER ring_policy_no_delete BEFORE DELETE ON ring_policy
BEGIN SELECT RAISE(ABORT, 'ring_policy is append-only'); END;
CREATE TRIGGER store_policy_no_update BEFORE UPDATE ON store_policy
BEGIN SELECT RAISE(ABORT, 'store_policy is append-only'); END;
CREATE TRIGGER store_policy_no_delete BEFORE DELETE ON store_policy
BEGIN SELECT RAISE(ABORT, 'store_policy is append-only'); END;
CREATE TRIGGER generation_no_update BEFORE UPDATE ON generation
BEGIN SELECT RAISE(ABORT, 'generation is append-only'); END;
CREATE TRIGGER generation_no_delete BEFORE DELETE ON generation
BEGIN SELECT RAISE(ABORT, 'generation is append-only'); END;
CREATE TRIGGER key_event_no_update BEFORE UPDATE ON key_event
BEGIN SELECT RAISE(ABORT, 'key_event is append-only'); END;
CREATE TRIGGER key_event_no_delete BEFORE DELETE ON key_event
BEGIN SELECT RAISE(ABORT, 'key_event is append-only'); END;
CREATE TRIGGER verify_only_no_update BEFORE UPDATE ON verify_only
BEGIN SELECT RAISE(ABORT, 'verify_only is append-only'); END;
CREATE TRIGGER verify_only_no_delete BEFORE DELETE ON verify_only
BEGIN SELECT RAISE(ABORT, 'verify_only is append-only'); END;
CREATE TRIGGER ring_epoch_rises BEFORE UPDATE ON ring_epoch WHEN new.epoch <= old.epoch OR new.ring_id <> old.ring_id
BEGIN SELECT RAISE(ABORT, 'ring_epoch only rises'); END;
CREATE TRIGGER ring_epoch_no_delete BEFORE DELETE ON ring_epoch
BEGIN SELECT RAISE(ABORT, 'ring_epoch only rises'); END;
