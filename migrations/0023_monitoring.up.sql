-- What pcache-migrate status and processor status show; plain views for anyone with psql. They read through
-- functions: a view on a client's table would keep the client from dropping and recreating it.

CREATE FUNCTION {{schema}}.processor_status_rows()
RETURNS TABLE (
  job_name text, enabled boolean, max_parallel_jobs integer, frequency_seconds integer, timeout_seconds integer,
  result_limit integer, default_bitsize integer, queued bigint, active bigint, registered_jobs integer,
  succeeded_last_hour bigint, failed_last_hour bigint, last_success timestamp
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT config.job_name, config.enabled, config.max_parallel_jobs, config.frequency_seconds, config.timeout_seconds,
         config.result_limit, config.default_bitsize,
         (SELECT count(*) FROM {{fragment_queue}}),
         (SELECT count(*) FROM {{active_jobs}} AS active WHERE active.job_id = config.job_name),
         cardinality(config.job_ids),
         recent.succeeded, recent.failed, recent.last_success
  FROM {{processor_config}} AS config
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE log.status = 'success') AS succeeded,
           count(*) FILTER (WHERE log.status IN ('failed', 'timeout')) AS failed,
           max(log.created_at) FILTER (WHERE log.status = 'success') AS last_success
    FROM {{processor_log}} AS log
    WHERE log.job_id = config.job_name AND log.created_at > now()::timestamp - interval '1 hour'
  ) AS recent
$$;
COMMENT ON FUNCTION {{schema}}.processor_status_rows() IS 'What the view processor_status shows.';

CREATE FUNCTION {{schema}}.active_item_rows()
RETURNS TABLE (
  job_name text, slot integer, query_hash text, partition_key text, pid integer, started_at timestamptz, running_for interval
)
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT active.job_id, slot.slot, active.query_hash, active.partition_key, active.pid, claim.started_at,
         clock_timestamp() - claim.started_at
  FROM {{active_jobs}} AS active
  JOIN {{schema}}.claim ON claim.query_hash = active.query_hash AND claim.partition_key = active.partition_key
  JOIN {{schema}}.slot ON slot.lock_key = claim.lock_key
$$;
COMMENT ON FUNCTION {{schema}}.active_item_rows() IS 'What the view active_items shows.';

CREATE VIEW {{schema}}.processor_status AS SELECT * FROM {{schema}}.processor_status_rows();
COMMENT ON VIEW {{schema}}.processor_status IS
  'Each processor with its settings, the queue''s length, what it works on and what came of the last hour.';

CREATE VIEW {{schema}}.active_items AS SELECT * FROM {{schema}}.active_item_rows();
COMMENT ON VIEW {{schema}}.active_items IS 'What the slots are working on at this moment, and since when.';

REVOKE ALL ON FUNCTION {{schema}}.processor_status_rows(), {{schema}}.active_item_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.processor_status_rows(), {{schema}}.active_item_rows() TO {{client_role}}, {{cron_role}};
GRANT SELECT ON {{schema}}.processor_status, {{schema}}.active_items TO {{client_role}}, {{cron_role}};
