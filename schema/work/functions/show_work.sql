CREATE FUNCTION partitioncache.show_work() RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- Not taken only where somebody else has it, and then it shows the same.
  SELECT pg_try_advisory_xact_lock_shared(
    hashtext('pcache-migrate at work'),
    hashtext(encode(convert_to('partitioncache', 'UTF8'), 'hex')))
$$;

COMMENT ON FUNCTION partitioncache.show_work() IS 'Shows until the end of the transaction that this deployment has work at hand, by an advisory lock: dispatch in the pg_cron database looks for it, and wakes the jobs that rest.';

REVOKE ALL ON FUNCTION partitioncache.show_work() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.show_work() TO cron_role;
