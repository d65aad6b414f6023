CREATE FUNCTION partitioncache_work_database.desired_job_rows(p_desired jsonb) RETURNS TABLE(job_name text, schedule text, command text, database text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT desired.job_name, desired.schedule, desired.command,
         coalesce(desired.database, current_database()::text)
  FROM jsonb_to_recordset(p_desired)
    AS desired (job_name text, schedule text, command text, database text)
$$;

COMMENT ON FUNCTION partitioncache_work_database.desired_job_rows(p_desired jsonb) IS 'The jobs that desired_jobs() in the work database wants, as rows; a NULL database is this one.';

REVOKE ALL ON FUNCTION partitioncache_work_database.desired_job_rows(p_desired jsonb) FROM PUBLIC;
