-- How a claimed fragment ends. Settling deletes claim and queue row in the transaction that writes the result.

CREATE FUNCTION {{schema}}.settle(
  p_claim {{schema}}.claim, p_job_name text, p_source text, p_log_status text, p_query_status text,
  p_error text, p_rows integer
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF p_query_status IS NOT NULL THEN
    INSERT INTO {{queries}} (query_hash, partition_key, query, status, last_seen)
    VALUES (p_claim.query_hash, p_claim.partition_key, p_claim.query, p_query_status, now())
    ON CONFLICT (query_hash, partition_key) DO UPDATE
      SET query = EXCLUDED.query, status = EXCLUDED.status, last_seen = EXCLUDED.last_seen;
  END IF;
  INSERT INTO {{processor_log}}
    (job_id, query_hash, partition_key, status, error_message, rows_affected, execution_time_ms, execution_source)
  VALUES
    (p_job_name, p_claim.query_hash, p_claim.partition_key, p_log_status, p_error, p_rows,
     -- The column's precision is the clients' contract; a longer run is capped, never an error.
     least(extract(epoch FROM clock_timestamp() - p_claim.started_at) * 1000, 9999999.999)::numeric(10, 3),
     p_source);
  DELETE FROM {{fragment_queue}} WHERE id = p_claim.queue_id AND hash = p_claim.query_hash;
  DELETE FROM {{schema}}.attempt WHERE query_hash = p_claim.query_hash AND partition_key = p_claim.partition_key;
  PERFORM {{schema}}.release_claim(p_claim);
END
$$;
COMMENT ON FUNCTION {{schema}}.settle({{schema}}.claim, text, text, text, text, text, integer) IS
  'Ends a claimed fragment for good: status of the query (NULL leaves it), log row, queue row and claim deleted.';

CREATE FUNCTION {{schema}}.release_claim(p_claim {{schema}}.claim) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  DELETE FROM {{active_jobs}} WHERE query_hash = p_claim.query_hash AND partition_key = p_claim.partition_key;
  DELETE FROM {{schema}}.claim WHERE queue_id = p_claim.queue_id;
$$;
COMMENT ON FUNCTION {{schema}}.release_claim({{schema}}.claim) IS 'Gives a claimed fragment back to the queue.';

CREATE FUNCTION {{schema}}.put_back(
  p_claim {{schema}}.claim, p_job_name text, p_source text, p_reason text, p_wait interval
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_attempts integer;
BEGIN
  INSERT INTO {{schema}}.attempt AS attempt (query_hash, partition_key, attempts, not_before, last_error)
  VALUES (p_claim.query_hash, p_claim.partition_key, 1, now() + p_wait, p_reason)
  ON CONFLICT (query_hash, partition_key) DO UPDATE
    SET attempts = attempt.attempts + 1, not_before = EXCLUDED.not_before, last_error = EXCLUDED.last_error
  RETURNING attempts INTO v_attempts;
  IF v_attempts >= (SELECT max_attempts FROM {{schema}}.settings) THEN
    PERFORM {{schema}}.settle(p_claim, p_job_name, p_source, 'failed', 'failed',
      format('set aside after %s attempts; the last one: %s', v_attempts, p_reason), NULL);
  ELSE
    PERFORM {{schema}}.release_claim(p_claim);
  END IF;
END
$$;
COMMENT ON FUNCTION {{schema}}.put_back({{schema}}.claim, text, text, text, interval) IS
  'Gives back a fragment whose attempt ended without a result, not to be claimed again before p_wait is over; '
  'after max_attempts it is settled as failed, so that it cannot block the queue.';

CREATE FUNCTION {{schema}}.run_is_alive(p_pid integer, p_lock_key integer) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- A pid alone may have been given to another backend; the slot's lock ends with its session.
  SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid = p_pid AND objsubid = 2
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = quote_ident({{schema:literal}})::regnamespace::oid
      AND objid = p_lock_key::oid)
$$;
COMMENT ON FUNCTION {{schema}}.run_is_alive(integer, integer) IS
  'Whether the backend p_pid still holds the lock of the slot with this lock_key.';

CREATE FUNCTION {{schema}}.release_dead_claims() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_claim {{schema}}.claim;
  v_released integer := 0;
BEGIN
  FOR v_claim IN
    SELECT * FROM {{schema}}.claim
    WHERE NOT {{schema}}.run_is_alive(pid, lock_key)
    ORDER BY queue_id
    FOR UPDATE SKIP LOCKED
  LOOP
    v_released := v_released + 1;
    IF v_claim.started_at IS NULL THEN
      PERFORM {{schema}}.release_claim(v_claim);
    ELSE
      PERFORM {{schema}}.put_back(v_claim,
        (SELECT job_name FROM {{schema}}.slot WHERE lock_key = v_claim.lock_key), 'unknown',
        format('the backend %s that worked on it since %s is gone', v_claim.pid, v_claim.started_at), '0 s');
    END IF;
  END LOOP;
  RETURN v_released;
END
$$;
COMMENT ON FUNCTION {{schema}}.release_dead_claims() IS
  'Gives back the fragments of runs that died, the one they were working on with an attempt counted. Returns how many.';

REVOKE ALL ON FUNCTION {{schema}}.settle({{schema}}.claim, text, text, text, text, text, integer),
  {{schema}}.release_claim({{schema}}.claim), {{schema}}.put_back({{schema}}.claim, text, text, text, interval),
  {{schema}}.run_is_alive(integer, integer), {{schema}}.release_dead_claims() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.settle({{schema}}.claim, text, text, text, text, text, integer),
  {{schema}}.release_claim({{schema}}.claim), {{schema}}.put_back({{schema}}.claim, text, text, text, interval),
  {{schema}}.run_is_alive(integer, integer), {{schema}}.release_dead_claims() TO {{cron_role}}, {{client_role}};
