-- The locks of show_work in the work databases. Every role sees them, also those of roles whose
-- jobs it does not see.
CREATE OR REPLACE FUNCTION {{cron_schema}}.at_work()
RETURNS TABLE (database text, key oid, is_own boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH lock AS (
    SELECT DISTINCT datname::text AS database, pg_locks.objid AS key
    FROM pg_locks
    JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND granted AND objsubid = 2
      -- pg_locks shows the keys as unsigned.
      AND classid = (hashtext('pcache-migrate at work')::bigint & 4294967295)::oid
  )
  SELECT database, key,
         database = {{work_database:literal}}
           AND key = (hashtext(encode(convert_to({{schema:literal}}, 'UTF8'), 'hex'))::bigint
                      & 4294967295)::oid
  FROM lock
$$;
COMMENT ON FUNCTION {{cron_schema}}.at_work IS
  'The deployments of this server that have work at hand at this moment, and which is this one.';
REVOKE ALL ON FUNCTION {{cron_schema}}.at_work FROM PUBLIC;
