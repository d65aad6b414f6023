CREATE OR REPLACE VIEW {{schema}}.holds_1 AS
  SELECT hold.holder, hold.reason, hold.held_by, hold.host, hold.since, hold.pid
  FROM {{schema}}.hold
  -- The pid alone may belong to another session by now; the lock ends with its session.
  LEFT JOIN pg_catalog.pg_locks AS locks
    ON locks.locktype = 'advisory' AND locks.granted AND locks.pid = hold.pid
    AND locks.database = (
      SELECT this.oid FROM pg_catalog.pg_database AS this
      WHERE this.datname = pg_catalog.current_database())
    AND locks.classid = hold.tableoid AND locks.objid = 0 AND locks.objsubid = 2
  WHERE hold.pid IS NULL OR locks.pid IS NOT NULL;
COMMENT ON VIEW {{schema}}.holds_1 IS
  'What keeps processing from going on at this moment; no row: nothing does. pid: the session with '
  'which the hold ends; NULL: it stands until it is released. Contract 1: these columns stay, for '
  'other versions of pcache-migrate.';
GRANT SELECT ON {{schema}}.holds_1 TO {{cron_role}}, {{client_role}};
