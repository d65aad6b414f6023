-- What fails, by SQLSTATE, and what is known of all fragments, by status.

--! routine failures_within
CREATE OR REPLACE FUNCTION {{schema}}.failures_within(p_age interval)
RETURNS TABLE (
  sqlstate text, reason text, failures bigint, fragments bigint, still_failed bigint,
  last_seen timestamp, example_hash text, example_partition_key text, example_message text
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  PERFORM {{schema}}.hold_own_tables('read', {{processor_log:literal}}, {{queries:literal}});
  RETURN QUERY
  WITH failed AS (
    SELECT log.id, log.query_hash, log.partition_key, log.created_at, log.error_message,
           class.reason,
           CASE class.reason
             WHEN 'error' THEN substring(log.error_message FROM '^([0-9A-Z]{5}): ')
             WHEN 'timeout' THEN '57014'
           END AS sqlstate
    FROM {{processor_log}} AS log
    CROSS JOIN LATERAL (
      SELECT CASE WHEN log.status = 'timeout' THEN 'timeout'
                  WHEN log.error_message LIKE 'set aside after %' THEN 'set aside'
                  ELSE 'error' END AS reason
    ) AS class
    WHERE log.status IN ('failed', 'timeout') AND log.created_at > now()::timestamp - p_age
  ),
  -- A fragment that failed in several ways counts as still failed for the last of them only.
  last_failure AS (
    SELECT DISTINCT ON (query_hash, partition_key) id, query_hash, partition_key
    FROM failed ORDER BY query_hash, partition_key, id DESC
  ),
  still_failed AS (
    SELECT last_failure.id
    FROM last_failure JOIN {{queries}} AS known USING (query_hash, partition_key)
    WHERE known.status IN ('failed', 'timeout')
  ),
  class AS (
    SELECT failed.sqlstate, failed.reason, count(*) AS failures,
           count(DISTINCT (failed.query_hash, failed.partition_key)) AS fragments,
           count(still_failed.id) AS still_failed,
           max(failed.created_at) AS last_seen,
           max(failed.id) AS example_id
    FROM failed LEFT JOIN still_failed USING (id)
    GROUP BY failed.sqlstate, failed.reason
  )
  SELECT class.sqlstate, class.reason, class.failures, class.fragments, class.still_failed,
         class.last_seen,
         example.query_hash, example.partition_key, example.error_message
  FROM class JOIN failed AS example ON example.id = class.example_id;
END
$$;
COMMENT ON FUNCTION {{schema}}.failures_within IS
  'What the view failures shows, from the log as far back as p_age; the log is kept for '
  'log_retention_days.';
REVOKE ALL ON FUNCTION {{schema}}.failures_within FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.failures_within TO {{client_role}}, {{cron_role}};
--! end

--! routine failures
CREATE OR REPLACE VIEW {{schema}}.failures AS SELECT * FROM {{schema}}.failures_within('24 hours');
COMMENT ON VIEW {{schema}}.failures IS
  'Failures and timeouts of the last 24 hours by SQLSTATE, each with the last one as an example. '
  'No row when nothing failed.';
COMMENT ON COLUMN {{schema}}.failures.sqlstate IS
  'The SQLSTATE of the error; 57014 for a timeout, NULL where the message has none.';
COMMENT ON COLUMN {{schema}}.failures.reason IS
  'error; timeout (cancelled after timeout_seconds); set aside (its runs died or were turned away '
  'max_attempts times).';
COMMENT ON COLUMN {{schema}}.failures.failures IS
  'How many rows of the log; one fragment may have failed several times.';
COMMENT ON COLUMN {{schema}}.failures.still_failed IS
  'How many of the fragments failed in this way the last time and have been neither evaluated nor '
  'retried since.';
GRANT SELECT ON {{schema}}.failures TO {{client_role}}, {{cron_role}};
--! end

--! routine known_fragment_rows
CREATE OR REPLACE FUNCTION {{schema}}.known_fragment_rows()
RETURNS TABLE (status text, fragments bigint, last_seen timestamp)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  PERFORM {{schema}}.hold_own_tables('read', {{queries:literal}});
  RETURN QUERY
  SELECT known.status, count(*), max(known.last_seen)
  FROM {{queries}} AS known
  GROUP BY known.status;
END
$$;
COMMENT ON FUNCTION {{schema}}.known_fragment_rows IS 'What the view known_fragments shows.';
REVOKE ALL ON FUNCTION {{schema}}.known_fragment_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.known_fragment_rows TO {{client_role}}, {{cron_role}};
--! end

--! routine known_fragments
CREATE OR REPLACE VIEW {{schema}}.known_fragments AS SELECT * FROM {{schema}}.known_fragment_rows();
COMMENT ON VIEW {{schema}}.known_fragments IS
  'How many of the known fragments have each status: ok, failed, timeout or limit. No row for a '
  'status that none has.';
COMMENT ON COLUMN {{schema}}.known_fragments.last_seen IS
  'When the last of them was evaluated, or seen by a client, in the time zone of the server.';
GRANT SELECT ON {{schema}}.known_fragments TO {{client_role}}, {{cron_role}};
--! end
