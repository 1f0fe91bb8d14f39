-- Who serves this store: for alarms and lists, never for safety. Contract: keys.md section 3.

CREATE TABLE replica (
  replica_id  TEXT COLLATE "C" PRIMARY KEY,
  last_seen   BIGINT NOT NULL,
  epochs_seen TEXT   NOT NULL,
  offset_us   BIGINT NOT NULL,
  build       TEXT   NOT NULL
);
