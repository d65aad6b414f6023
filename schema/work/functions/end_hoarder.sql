CREATE FUNCTION partitioncache.end_hoarder() RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '500ms'
    AS $$
DECLARE
  c_most CONSTANT integer := 100; -- a run itself has three
  v_database CONSTANT oid := (
    SELECT datid FROM pg_stat_get_activity(pg_backend_pid()));
  v_run record;
BEGIN
  SELECT claims.*, held.queue_id, hoard.locks, activity.xact_start INTO v_run
  FROM (
    SELECT pid, objid::bigint AS queue_id
    FROM pg_lock_status()
    WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND database = v_database
      AND classid = "partitioncache".running_class()::oid
  ) AS held
  JOIN (
    SELECT pid, count(*) AS locks FROM pg_lock_status() WHERE locktype = 'advisory' GROUP BY pid
  ) AS hoard ON hoard.pid = held.pid AND hoard.locks > c_most
  JOIN "partitioncache".claims ON claims.pid = held.pid AND held.queue_id = ANY (claims.queue_ids)
  LEFT JOIN pg_stat_get_activity(held.pid) AS activity ON true
  ORDER BY hoard.locks DESC
  LIMIT 1;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM pg_terminate_backend(v_run.pid);
  FOR v_wait IN 1 .. 50 LOOP
    EXIT WHEN NOT EXISTS (SELECT FROM pg_lock_status() AS locks WHERE locks.pid = v_run.pid);
    PERFORM pg_sleep(0.1);
  END LOOP;
  -- Of several it may not have been the first one; then each is tried again, alone.
  IF cardinality(v_run.queue_ids) = 1 THEN
    BEGIN
      PERFORM "partitioncache".settle_terminated(
        v_run.job_name, v_run.lock_key, v_run.batch_id, v_run.queue_id::integer,
        coalesce(v_run.xact_start, v_run.claimed_at), 'failed',
        format('53200: terminated, since it held %s advisory locks and the server had none left',
               v_run.locks));
    EXCEPTION
      WHEN out_of_memory OR lock_not_available THEN
        -- Another slot was quicker to try it again. The next look ends that one, and each end
        -- counts as an attempt.
        NULL;
    END;
  END IF;
  RETURN true;
END
$$;

COMMENT ON FUNCTION partitioncache.end_hoarder() IS 'Ends the session of the run that holds the most advisory locks, when these are more than a hundred, and settles its fragment as failed. Returns false when there is no such run. For when the server has no lock left (53200).';

REVOKE ALL ON FUNCTION partitioncache.end_hoarder() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.end_hoarder() TO cron_role;
