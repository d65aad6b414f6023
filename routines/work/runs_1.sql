CREATE OR REPLACE VIEW {{schema}}.runs_1 AS
  WITH held AS (
    SELECT locks.classid, locks.objid, locks.pid
    FROM pg_catalog.pg_locks AS locks
    WHERE locks.locktype = 'advisory' AND locks.granted AND locks.objsubid = 2
      AND locks.database = (
        SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  ),
  run AS (
    SELECT CASE slot.slot WHEN 0 THEN 'by hand' ELSE 'processor' END AS kind,
           slot.job_name AS processor, slot.slot, held.pid
    FROM {{schema}}.slot
    JOIN held ON held.objid = slot.lock_key::oid
    WHERE held.classid = pg_catalog.quote_ident({{schema:literal}})::regnamespace
    UNION
    -- Named here, too: else PostgreSQL prints other names each time that it reads what it printed.
    SELECT CASE held.objid
             WHEN 1 THEN 'maintenance' WHEN 2 THEN 'by hand' ELSE 'processor' END AS kind,
           NULL AS processor, NULL AS slot, held.pid
    FROM held
    WHERE held.classid = (pg_catalog.quote_ident({{schema:literal}}) || '.hold')::regclass
      AND held.objid IN (1, 2, 3)
  )
  SELECT run.kind, run.processor, run.slot, run.pid, activity.usename AS role
  FROM run
  JOIN pg_catalog.pg_stat_activity AS activity USING (pid)
  -- Anybody can take an advisory lock, and would be waited for in vain.
  WHERE (run.kind = 'by hand' AND run.slot IS NULL)
    OR activity.usename = (SELECT cron_role FROM {{schema}}.deployment)
    OR pg_catalog.pg_has_role(
      activity.usesysid,
      (SELECT nspowner FROM pg_catalog.pg_namespace WHERE nspname = {{schema:literal}}), 'MEMBER');
COMMENT ON VIEW {{schema}}.runs_1 IS
  'The runs that are at work at this moment: kind is processor, maintenance or by hand. processor, '
  'slot: NULL for maintenance, for a run that is just beginning, and for a run by hand within '
  'somebody''s transaction. Contract 1: these columns stay, for other versions of pcache-migrate.';
GRANT SELECT ON {{schema}}.runs_1 TO {{cron_role}};
