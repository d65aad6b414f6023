CREATE FUNCTION partitioncache_work_database.prune_job_runs(p_keep_days integer) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_deleted bigint;
BEGIN
  -- Select by what the run called, not by its job: the history of jobs that are gone is ours to
  -- clean up too.
  DELETE FROM cron.job_run_details AS details
  WHERE details.username = current_user
    AND details.end_time < now() - make_interval(days => p_keep_days)
    AND "partitioncache_work_database".is_own(details.database, details.command);
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
END
$$;

COMMENT ON FUNCTION partitioncache_work_database.prune_job_runs(p_keep_days integer) IS 'Deletes this deployment''s runs that ended more than p_keep_days days ago from cron.job_run_details. Returns how many.';

REVOKE ALL ON FUNCTION partitioncache_work_database.prune_job_runs(p_keep_days integer) FROM PUBLIC;
