CREATE FUNCTION partitioncache_work_database.starts_in_batches() RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT (string_to_array(substring(extversion FROM '^[0-9]+(?:[.][0-9]+)*'), '.'))::integer[]
           < ARRAY[1, 5]
         AND (SELECT backend_type FROM pg_stat_get_activity(pg_backend_pid())) <> 'client backend'
  FROM pg_extension WHERE extname = 'pg_cron'
$$;

COMMENT ON FUNCTION partitioncache_work_database.starts_in_batches() IS 'Whether this pg_cron waits for the end of the runs that it has begun before it begins others, which before version 1.5 it does with background workers. For a session that pg_cron has started.';

REVOKE ALL ON FUNCTION partitioncache_work_database.starts_in_batches() FROM PUBLIC;
