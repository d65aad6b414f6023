-- What pcache-migrate status and processor status show; plain views for anyone with psql.

CREATE VIEW {{schema}}.processor_status AS
  SELECT config.job_name, config.enabled, config.max_parallel_jobs, config.frequency_seconds, config.timeout_seconds,
         config.result_limit, config.default_bitsize,
         (SELECT count(*) FROM {{fragment_queue}}) AS queued,
         (SELECT count(*) FROM {{active_jobs}} AS active WHERE active.job_id = config.job_name) AS active,
         cardinality(config.job_ids) AS registered_jobs,
         recent.succeeded AS succeeded_last_hour,
         recent.failed AS failed_last_hour,
         recent.last_success
  FROM {{processor_config}} AS config
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE log.status = 'success') AS succeeded,
           count(*) FILTER (WHERE log.status IN ('failed', 'timeout')) AS failed,
           max(log.created_at) FILTER (WHERE log.status = 'success') AS last_success
    FROM {{processor_log}} AS log
    WHERE log.job_id = config.job_name AND log.created_at > now()::timestamp - interval '1 hour'
  ) AS recent;
COMMENT ON VIEW {{schema}}.processor_status IS
  'Each processor with its settings, the queue''s length, what it works on and what came of the last hour.';

CREATE VIEW {{schema}}.active_items AS
  SELECT active.job_id AS job_name, slot.slot, active.query_hash, active.partition_key, active.pid, claim.started_at,
         clock_timestamp() - claim.started_at AS running_for
  FROM {{active_jobs}} AS active
  JOIN {{schema}}.claim ON claim.query_hash = active.query_hash AND claim.partition_key = active.partition_key
  JOIN {{schema}}.slot ON slot.lock_key = claim.lock_key;
COMMENT ON VIEW {{schema}}.active_items IS 'What the slots are working on at this moment, and since when.';

GRANT SELECT ON {{schema}}.processor_status, {{schema}}.active_items TO {{client_role}}, {{cron_role}};
