CREATE FUNCTION partitioncache_work_database.places_at_rest() RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH at_work AS MATERIALIZED (SELECT database FROM "partitioncache_work_database".at_work()),
  first_slot AS MATERIALIZED (
    SELECT job.database FROM cron.job AS job
    WHERE job.username = current_user AND job.active
      AND "partitioncache_work_database".is_first_slot(job.command, job.schedule)
  )
  SELECT greatest(
    (SELECT count(*)
     FROM "partitioncache_work_database".job_sessions()
     WHERE database <> current_database() AND database NOT IN (SELECT database FROM at_work)),
    (SELECT count(*) FROM first_slot WHERE database NOT IN (SELECT database FROM at_work))
    + greatest(0, "partitioncache_work_database".hidden_deployments() - (
        SELECT count(*) FROM at_work WHERE database NOT IN (SELECT database FROM first_slot))))
$$;

COMMENT ON FUNCTION partitioncache_work_database.places_at_rest() IS 'How many places in pg_cron the deployments of this server need that have no work at this moment, of every role, and whoever else has jobs that run.';

REVOKE ALL ON FUNCTION partitioncache_work_database.places_at_rest() FROM PUBLIC;
