-- Who serves this store: for alarms and lists, never for safety. Contract: keys.md section 3.

CREATE TABLE replica (
  replica_id  TEXT    PRIMARY KEY,
  last_seen   INTEGER NOT NULL,
  epochs_seen TEXT    NOT NULL,
  offset_us   INTEGER NOT NULL,
  build       TEXT    NOT NULL
) STRICT;
