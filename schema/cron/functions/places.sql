CREATE FUNCTION partitioncache_work_database.places() RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT CASE
    WHEN pg_has_role('pg_read_all_settings', 'USAGE')
      THEN current_setting('cron.max_running_jobs')::integer
    -- Hidden. These are pg_cron's defaults for its two modes.
    WHEN (SELECT backend_type FROM pg_stat_get_activity(pg_backend_pid())) = 'client backend'
      THEN 32
    ELSE 5
  END
$$;

COMMENT ON FUNCTION partitioncache_work_database.places() IS 'How many jobs pg_cron runs at once (cron.max_running_jobs), or what it does by default where the cron role may not read the setting. For a session that pg_cron has started.';

REVOKE ALL ON FUNCTION partitioncache_work_database.places() FROM PUBLIC;
