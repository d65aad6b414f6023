CREATE FUNCTION partitioncache_work_database.drift(p_desired jsonb) RETURNS TABLE(job_name text, problem text, desired text, actual text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT coalesce(wanted.job_name, own.job_name),
         CASE WHEN own.job_name IS NULL THEN 'missing'
              WHEN wanted.job_name IS NULL THEN 'orphaned'
              ELSE 'altered' END,
         CASE WHEN wanted.job_name IS NOT NULL THEN
           format('%s %s in %s', wanted.schedule, wanted.command, wanted.database) END,
         CASE WHEN own.job_name IS NOT NULL THEN
           format('%s %s in %s%s%s', own.schedule, own.command, own.database,
                  CASE WHEN NOT own.active THEN ' (inactive)' END,
                  CASE WHEN NOT own.is_here THEN ' (of a server with another port)' END) END
  FROM "partitioncache_work_database".desired_job_rows(p_desired) AS wanted
  FULL JOIN "partitioncache_work_database".own_jobs() AS own ON own.job_name = wanted.job_name
  WHERE (wanted.command, wanted.database, true, true)
        IS DISTINCT FROM (own.command, own.database, own.active, own.is_here)
     OR own.schedule NOT IN (wanted.schedule, coalesce(wanted.rest_schedule, wanted.schedule))
  UNION ALL
  SELECT alien.job_name, CASE WHEN alien.has_own_name THEN 'impostor' ELSE 'foreign' END, NULL,
         format('%s %s in %s%s', alien.schedule, alien.command, alien.database,
                CASE WHEN NOT alien.active THEN ' (inactive)' END)
  FROM "partitioncache_work_database".alien_jobs(p_desired) AS alien
  ORDER BY 1
$$;

COMMENT ON FUNCTION partitioncache_work_database.drift(p_desired jsonb) IS 'How pg_cron''s jobs differ from p_desired: missing, altered, orphaned (ours, but not desired), impostor (under one of our names, but not ours) or foreign (another job of the cron role in the work database, such as those that PartitionCache''s own set-up left behind; not ours to remove). No row when they do not differ.';

REVOKE ALL ON FUNCTION partitioncache_work_database.drift(p_desired jsonb) FROM PUBLIC;
