-- What a server needs, for a role that owns nothing: run by the owner after `chancery init`, and after each upgrade.
-- Rows of rings, keys, events and the audit can be added and read by it, never changed and never deleted.
GRANT USAGE ON SCHEMA chancery TO chancery_server;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA chancery TO chancery_server;
GRANT UPDATE, DELETE ON chancery.sealed, chancery.document, chancery.kek, chancery.replica TO chancery_server;
GRANT UPDATE ON chancery.ring_epoch TO chancery_server;
