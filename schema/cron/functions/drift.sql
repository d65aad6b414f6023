CREATE FUNCTION partitioncache_work_database.drift(p_desired jsonb) RETURNS TABLE(job_name text, problem text, desired text, actual text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT coalesce(wanted.job_name, own.job_name),
         CASE WHEN own.job_name IS NULL THEN 'missing'
              WHEN wanted.job_name IS NULL THEN 'orphaned'
              ELSE 'altered' END,
         CASE WHEN wanted.job_name IS NOT NULL THEN
           format('%s %s in %s', wanted.schedule, wanted.command, wanted.database) END,
         CASE WHEN own.job_name IS NOT NULL THEN
           format('%s %s in %s%s', own.schedule, own.command, own.database,
                  CASE WHEN NOT own.active THEN ' (inactive)' END) END
  FROM "partitioncache_work_database".desired_job_rows(p_desired) AS wanted
  FULL JOIN "partitioncache_work_database".own_jobs() AS own ON own.job_name = wanted.job_name
  WHERE (wanted.schedule, wanted.command, wanted.database, true)
        IS DISTINCT FROM (own.schedule, own.command, own.database, own.active)
  UNION ALL
  -- What PartitionCache's own setup left behind works on the same queue and is not ours to remove.
  SELECT job.jobname::text, 'foreign', NULL,
         format('%s %s in %s', job.schedule, job.command, job.database)
  FROM cron.job AS job
  WHERE job.username = current_user
    AND job.database = 'work_database'
    AND strpos(job.command, 'partitioncache_run_single_job') > 0
  ORDER BY 1
$$;

COMMENT ON FUNCTION partitioncache_work_database.drift(p_desired jsonb) IS 'How pg_cron''s jobs differ from p_desired: missing, altered, orphaned (ours, but not desired) or foreign (another tool''s jobs on this queue). No row when they do not differ.';

REVOKE ALL ON FUNCTION partitioncache_work_database.drift(p_desired jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache_work_database.drift(p_desired jsonb) TO migrator;
