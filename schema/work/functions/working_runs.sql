CREATE FUNCTION partitioncache.working_runs() RETURNS TABLE(lock_key integer, job_name text, slot integer, batch_id bigint, queue_id bigint, pid integer, started_at timestamp with time zone, is_exact boolean, has_results boolean)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH held AS (
    SELECT pid, objid::bigint AS queue_id
    FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 2
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = "partitioncache".running_class()::oid
  )
  SELECT claims.lock_key, claims.job_name, claims.slot, claims.batch_id, held.queue_id, held.pid,
         -- Only the runs' own role and members of pg_read_all_stats can see when a transaction
         -- began. For others, the time of the claim must do: a run starts nothing more of a
         -- batch that is older than a second.
         coalesce(activity.xact_start, claims.claimed_at), activity.xact_start IS NOT NULL,
         -- No other fragment precedes the only one of a batch: it has taken that lock itself.
         cardinality(claims.queue_ids) > 1
           AND EXISTS (SELECT FROM held AS beyond
                       WHERE beyond.pid = held.pid AND beyond.queue_id = 0)
  FROM held
  -- Fragments can take such locks as well, but not on behalf of another run, nor for
  -- fragments that their own run has not claimed.
  JOIN "partitioncache".claims ON claims.pid = held.pid AND held.queue_id = ANY (claims.queue_ids)
  LEFT JOIN pg_stat_get_activity(held.pid) AS activity ON true
$$;

COMMENT ON FUNCTION partitioncache.working_runs() IS 'The runs that are evaluating fragments now. queue_id: the fragment that began the transaction. has_results: the run is at a later fragment, and the results so far wait for that one. started_at: when the transaction began; up to a second too early where it is not exact, which is so for roles that may not see the activity of the runs'' role, or with track_activities off.';

REVOKE ALL ON FUNCTION partitioncache.working_runs() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.working_runs() TO cron_role;
GRANT ALL ON FUNCTION partitioncache.working_runs() TO client_role;
