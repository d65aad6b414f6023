-- Shows what is being processed right now, from the locks that say so: nothing is
-- written for it, and nothing is left behind.
-- The views read through functions, because a view on a client's table would keep the
-- client from dropping and recreating that table.

--! routine run_is_alive
CREATE OR REPLACE FUNCTION {{schema}}.run_is_alive(
  p_pid integer, p_lock_key integer
) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- The pid alone may belong to another backend by now; the slot's lock ends with its session.
  SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid = p_pid AND objsubid = 2
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = quote_ident({{schema:literal}})::regnamespace::oid
      AND objid = p_lock_key::oid)
$$;
COMMENT ON FUNCTION {{schema}}.run_is_alive IS
  'Whether the backend p_pid still holds the lock of the slot with this lock_key.';
REVOKE ALL ON FUNCTION {{schema}}.run_is_alive FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.run_is_alive TO {{cron_role}};
--! end

--! routine running_class
CREATE OR REPLACE FUNCTION {{schema}}.running_class() RETURNS integer
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (quote_ident({{schema:literal}}) || '.batch')::regclass::oid::integer;
END
$$;
COMMENT ON FUNCTION {{schema}}.running_class IS
  'First key of the advisory locks that say what a run is evaluating. The second key is the '
  'queue id of the fragment that began the transaction; a lock with second key 0 is held as '
  'well once a later fragment is being evaluated.';
REVOKE ALL ON FUNCTION {{schema}}.running_class FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.running_class TO {{cron_role}}, {{client_role}};
--! end

--! routine working_runs
CREATE OR REPLACE FUNCTION {{schema}}.working_runs()
RETURNS TABLE (
  lock_key integer, job_name text, slot integer, batch_id bigint, queue_id bigint, pid integer,
  started_at timestamptz, is_exact boolean, has_results boolean
)
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH held AS (
    SELECT pid, objid::bigint AS queue_id
    FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 2
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = {{schema}}.running_class()::oid
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
  JOIN {{schema}}.claims ON claims.pid = held.pid AND held.queue_id = ANY (claims.queue_ids)
  LEFT JOIN pg_stat_get_activity(held.pid) AS activity ON true
$$;
COMMENT ON FUNCTION {{schema}}.working_runs IS
  'The runs that are evaluating fragments now. queue_id: the fragment that began the '
  'transaction. has_results: the run is at a later fragment, and the results so far '
  'wait for that one. started_at: when the transaction began; up to a second too '
  'early where it is not exact, which is so for roles that may not see the activity '
  'of the runs'' role, or with track_activities off.';
REVOKE ALL ON FUNCTION {{schema}}.working_runs FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.working_runs TO {{cron_role}}, {{client_role}};
--! end

--! routine active_item_rows
CREATE OR REPLACE FUNCTION {{schema}}.active_item_rows()
RETURNS TABLE (
  job_name text, slot integer, query_hash text, partition_key text,
  pid integer, started_at timestamptz, running_for interval
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  PERFORM {{schema}}.hold_own_tables('read', {{fragment_queue:literal}}, {{active_jobs:literal}});
  -- A client may have removed it from the queue in the meantime; the run still works on it.
  RETURN QUERY
  SELECT running.job_name, running.slot,
         coalesce(queue.hash, published.query_hash, '(no longer queued)'),
         coalesce(queue.partition_key, published.partition_key, ''),
         running.pid, running.started_at, clock_timestamp() - running.started_at
  FROM {{schema}}.working_runs() AS running
  LEFT JOIN {{fragment_queue}} AS queue ON queue.id = running.queue_id
  LEFT JOIN {{active_jobs}} AS published ON published.pid = running.pid AND queue.id IS NULL
  WHERE NOT running.has_results;
END
$$;
COMMENT ON FUNCTION {{schema}}.active_item_rows IS 'What the view active_items shows.';
REVOKE ALL ON FUNCTION {{schema}}.active_item_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.active_item_rows TO {{cron_role}}, {{client_role}};
--! end

--! routine active_items
CREATE OR REPLACE VIEW {{schema}}.active_items AS SELECT * FROM {{schema}}.active_item_rows();
COMMENT ON VIEW {{schema}}.active_items IS
  'What the slots are working on now, and since when (to within a second, for roles other than the '
  'runs'' own). Not shown: quick fragments in a chunk of them, which lasts two seconds at most.';
GRANT SELECT ON {{schema}}.active_items TO {{client_role}}, {{cron_role}};
--! end

--! routine processor_status_rows
CREATE OR REPLACE FUNCTION {{schema}}.processor_status_rows()
RETURNS TABLE (
  job_name text, enabled boolean, max_parallel_jobs integer, frequency_seconds integer,
  timeout_seconds integer, result_limit integer, default_bitsize integer,
  queued bigint, active bigint, registered_jobs integer,
  succeeded_last_hour bigint, failed_last_hour bigint, last_success timestamp
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- The plan depends on how much of the log lies in the span, which PostgreSQL can only estimate
-- where it knows the time. To compile it took longer than to run it.
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_since timestamp := now()::timestamp - interval '1 hour';
BEGIN
  PERFORM {{schema}}.hold_own_tables(
    'read', {{processor_config:literal}}, {{fragment_queue:literal}}, {{processor_log:literal}});
  RETURN QUERY
  SELECT config.job_name, config.enabled, config.max_parallel_jobs, config.frequency_seconds,
         config.timeout_seconds, config.result_limit, config.default_bitsize,
         (SELECT count(*) FROM {{fragment_queue}}),
         (SELECT count(*)
          FROM {{schema}}.working_runs() AS running
          WHERE running.job_name = config.job_name AND NOT running.has_results),
         cardinality(config.job_ids),
         recent.succeeded, recent.failed, recent.last_success
  FROM {{processor_config}} AS config
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE log.status = 'success') AS succeeded,
           count(*) FILTER (WHERE log.status IN ('failed', 'timeout')) AS failed,
           max(log.created_at) FILTER (WHERE log.status = 'success') AS last_success
    FROM {{processor_log}} AS log
    WHERE log.job_id = config.job_name AND log.created_at > v_since
  ) AS recent;
END
$$;
COMMENT ON FUNCTION {{schema}}.processor_status_rows IS 'The rows of the view processor_status.';
REVOKE ALL ON FUNCTION {{schema}}.processor_status_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.processor_status_rows TO {{cron_role}}, {{client_role}};
--! end

--! routine processor_status
CREATE OR REPLACE VIEW {{schema}}.processor_status AS
  SELECT * FROM {{schema}}.processor_status_rows();
COMMENT ON VIEW {{schema}}.processor_status IS
  'Each processor with its settings, the length of the queue, how many of its runs are evaluating '
  'a fragment, and its results of the last hour.';
GRANT SELECT ON {{schema}}.processor_status TO {{client_role}}, {{cron_role}};
--! end
