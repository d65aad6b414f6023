CREATE FUNCTION partitioncache_work_database.is_own(p_database text, p_command text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT (p_database = 'work_database'
          AND (starts_with(p_command, format('CALL %I.run_processor(', 'partitioncache'))
               OR p_command = format('CALL %I.run_maintenance()', 'partitioncache')))
      OR (p_database = current_database()
          AND (starts_with(p_command, format('SELECT %I.prune_job_runs(', 'partitioncache_work_database'))
               OR starts_with(p_command, format('SELECT %I.dispatch(', 'partitioncache_work_database'))))
$$;

COMMENT ON FUNCTION partitioncache_work_database.is_own(p_database text, p_command text) IS 'Whether a job with this database and command belongs to this deployment.';

REVOKE ALL ON FUNCTION partitioncache_work_database.is_own(p_database text, p_command text) FROM PUBLIC;
