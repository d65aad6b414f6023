CREATE FUNCTION partitioncache_work_database.dispatch(p_maintenance boolean) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_awake integer;
  v_job record;
  v_changed integer := 0;
BEGIN
  -- apply_jobs changes the same jobs, and the next run of this one comes soon.
  IF NOT pg_try_advisory_xact_lock(
    quote_ident('partitioncache_work_database')::regnamespace::oid::integer, 0)
  THEN
    RETURN 0;
  END IF;
  v_awake := CASE
    -- What begins one batch late could come minutes after its work.
    WHEN "partitioncache_work_database".starts_in_batches() THEN (SELECT count(*) FROM "partitioncache_work_database".own_jobs())
    WHEN "partitioncache_work_database".is_at_work() THEN "partitioncache_work_database".helpers_with_room(p_maintenance)
    ELSE -1
  END;
  FOR v_job IN
    SELECT *
    FROM (
      SELECT jobs.*,
             CASE WHEN helper <= v_awake THEN awake_schedule ELSE rest_schedule END AS wanted
      FROM "partitioncache_work_database".jobs_on_demand(p_maintenance) AS jobs
    ) AS job
    WHERE schedule <> wanted
    ORDER BY helper
  LOOP
    PERFORM cron.schedule_in_database(
      v_job.job_name, v_job.wanted, v_job.command, v_job.database);
    v_changed := v_changed + 1;
  END LOOP;
  RETURN v_changed;
END
$$;

COMMENT ON FUNCTION partitioncache_work_database.dispatch(p_maintenance boolean) IS 'Wakes the jobs of this deployment that are on demand when it has work, and puts them to rest when it has none, or others need the places: by their schedules. Where starts_in_batches, all stay awake. p_maintenance: whether maintenance is one of them. Returns how many it has changed.';

REVOKE ALL ON FUNCTION partitioncache_work_database.dispatch(p_maintenance boolean) FROM PUBLIC;
