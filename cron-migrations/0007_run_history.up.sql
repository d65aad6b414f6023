-- pg_cron keeps its run history for ever, and a job that runs every
-- second writes a row every second.

--! routine prune_job_runs
CREATE OR REPLACE FUNCTION {{cron_schema}}.prune_job_runs(p_keep_days integer) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_deleted bigint;
BEGIN
  -- Select by what the run called, not by its job: the history of jobs that are gone is ours to
  -- clean up too.
  DELETE FROM cron.job_run_details AS details
  WHERE details.username = current_user
    AND details.end_time < now() - make_interval(days => p_keep_days)
    AND {{cron_schema}}.is_own(details.database, details.command);
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
END
$$;
COMMENT ON FUNCTION {{cron_schema}}.prune_job_runs IS
  'Deletes this deployment''s runs that ended more than p_keep_days days ago from '
  'cron.job_run_details. Returns how many.';
REVOKE ALL ON FUNCTION {{cron_schema}}.prune_job_runs FROM PUBLIC;
--! end
