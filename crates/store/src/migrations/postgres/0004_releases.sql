-- Which programs may use the store: the oldest schema that they have to know. Contract: keys.md section 3.

ALTER TABLE meta ADD COLUMN oldest_program BIGINT NOT NULL DEFAULT 4;
