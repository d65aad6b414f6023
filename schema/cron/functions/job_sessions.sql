CREATE FUNCTION partitioncache_work_database.job_sessions() RETURNS TABLE(database text, is_own boolean)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- The name that pg_cron gives to its connections, and name_session to its background workers;
  -- a client that is called something like it is none.
  SELECT datname::text, usename = current_user
  FROM pg_stat_activity
  WHERE application_name = 'pg_cron' AND pid <> pg_backend_pid()
$$;

COMMENT ON FUNCTION partitioncache_work_database.job_sessions() IS 'The other sessions in which pg_cron runs a job at this moment, of every role: in which database, and whether the job is of this role.';

REVOKE ALL ON FUNCTION partitioncache_work_database.job_sessions() FROM PUBLIC;
