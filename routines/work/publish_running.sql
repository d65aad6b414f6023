CREATE OR REPLACE FUNCTION {{schema}}.publish_running() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $$
BEGIN
  PERFORM {{schema}}.hold_own_tables('write', {{active_jobs:literal}});
  PERFORM {{schema}}.hold_own_tables('read', {{fragment_queue:literal}});
  DELETE FROM {{active_jobs}} AS active
  WHERE NOT EXISTS (
    SELECT FROM {{schema}}.working_runs() AS running
    LEFT JOIN {{fragment_queue}} AS queue ON queue.id = running.queue_id
    WHERE running.pid = active.pid AND NOT running.has_results
      -- The row stays, too, where a client has removed the fragment from the queue meanwhile.
      AND (queue.id IS NULL
           OR (queue.hash, queue.partition_key) = (active.query_hash, active.partition_key)));
  INSERT INTO {{active_jobs}}
    (query_hash, partition_key, job_id, pid, started_at, query, partition_datatype)
  SELECT queue.hash, queue.partition_key, running.job_name, running.pid,
         running.started_at::timestamp, queue.query, queue.partition_datatype
  FROM {{schema}}.working_runs() AS running
  JOIN {{fragment_queue}} AS queue ON queue.id = running.queue_id
  WHERE NOT running.has_results
  -- In a fixed order, in case two maintenance runs overlap.
  ORDER BY queue.hash, queue.partition_key
  ON CONFLICT (query_hash, partition_key) DO NOTHING;
EXCEPTION
  WHEN lock_not_available THEN
    -- A client has locked the table. Showing what runs can wait; the rest of maintenance cannot.
    RETURN;
END
$$;
COMMENT ON FUNCTION {{schema}}.publish_running IS
  'Brings the clients'' table of active work up to date, so that it '
  'shows what is running now and nothing else.';
REVOKE ALL ON FUNCTION {{schema}}.publish_running FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.publish_running TO {{cron_role}};
