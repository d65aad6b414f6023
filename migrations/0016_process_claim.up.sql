-- One claimed fragment: evaluated, stored, settled.

CREATE FUNCTION {{schema}}.evaluate_and_store(
  p_claim {{schema}}.claim, p_result_limit integer, p_default_bitsize integer,
  OUT status text, OUT rows_stored integer, OUT bits_needed integer
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_datatype text;
  v_keys {{schema}}.key_set;
BEGIN
  SELECT datatype INTO v_datatype FROM {{partition_metadata}} WHERE partition_key = p_claim.partition_key;
  IF (SELECT cache_backend FROM {{schema}}.deployment) <> 'array' THEN
    -- Bits have numbers, nothing else.
    v_datatype := 'integer';
  END IF;
  v_keys := {{schema}}.evaluate_fragment(p_claim.query, coalesce(v_datatype, p_claim.partition_datatype), p_result_limit);

  -- From here on the watchdog must not cancel: the fragment is evaluated, the rest is short. It cancels only
  -- while it holds the claim's row lock, so a cancel that is already on its way ends this statement.
  PERFORM FROM {{schema}}.claim WHERE queue_id = p_claim.queue_id FOR UPDATE;

  PERFORM {{schema}}.bootstrap_partition(p_claim.partition_key, {{schema}}.datatype_of(v_keys.element_type),
    p_default_bitsize, v_keys.element_type);

  rows_stored := coalesce(cardinality(v_keys.integer_keys), cardinality(v_keys.bigint_keys),
    cardinality(v_keys.numeric_keys), cardinality(v_keys.text_keys), cardinality(v_keys.timestamp_keys), 0);
  IF rows_stored > p_result_limit THEN
    PERFORM {{schema}}.store_unusable(p_claim.query_hash, p_claim.partition_key);
    status := 'limit';
    RETURN;
  END IF;
  bits_needed := {{schema}}.store_keys(p_claim.query_hash, p_claim.partition_key, v_keys);
  status := CASE WHEN bits_needed IS NULL THEN 'ok' ELSE 'too_narrow' END;
END
$$;
COMMENT ON FUNCTION {{schema}}.evaluate_and_store({{schema}}.claim, integer, integer) IS
  'Evaluates a fragment and stores its set. status: ok; limit (more keys than p_result_limit, stored as unusable); '
  'too_narrow (nothing stored: the bit cache needs bits_needed bits). Raises what the fragment or the cache raised.';

CREATE FUNCTION {{schema}}.is_cached(p_query_hash text, p_partition_key text) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_table text := format('%I.%I', {{client_schema:literal}}, {{schema}}.cache_table_name(p_partition_key));
  v_cached boolean;
BEGIN
  PERFORM FROM {{queries}} WHERE query_hash = p_query_hash AND partition_key = p_partition_key AND status = 'ok';
  IF NOT FOUND OR to_regclass(v_table) IS NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE query_hash = $1)', v_table) INTO v_cached USING p_query_hash;
  RETURN v_cached;
END
$$;
COMMENT ON FUNCTION {{schema}}.is_cached(text, text) IS
  'Whether a fragment''s set is in the cache and its status ok; an evicted one counts as not cached.';

CREATE FUNCTION {{schema}}.process_claim(p_queue_id integer, p_job_name text, p_source text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_claim {{schema}}.claim;
  v_config {{processor_config}};
  v_result record;
  v_state text;
  v_message text;
  v_error text;
BEGIN
  -- Losing the last settled fragments in a crash is harmless: they are still queued then. Waiting for the
  -- disk after each of them is not.
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT * INTO STRICT v_claim FROM {{schema}}.claim WHERE queue_id = p_queue_id;
  SELECT * INTO STRICT v_config FROM {{processor_config}} WHERE job_name = p_job_name;

  BEGIN
    IF {{schema}}.is_cached(v_claim.query_hash, v_claim.partition_key) THEN
      PERFORM {{schema}}.settle(v_claim, p_job_name, p_source, 'skipped', NULL, NULL, NULL);
      RETURN 'skipped';
    END IF;
    SELECT * INTO v_result FROM {{schema}}.evaluate_and_store(v_claim, v_config.result_limit, v_config.default_bitsize);
    IF v_result.status = 'too_narrow' THEN
      RETURN v_result.bits_needed::text;
    END IF;
    PERFORM {{schema}}.settle(v_claim, p_job_name, p_source, 'success', v_result.status,
      CASE v_result.status WHEN 'limit' THEN format('more than result_limit = %s keys', v_config.result_limit) END,
      v_result.rows_stored);
    RETURN v_result.status;
  EXCEPTION
    WHEN query_canceled THEN
      -- As it is now: the watchdog reads it live, and it may have been lowered since the fragment was begun.
      SELECT timeout_seconds INTO v_config.timeout_seconds FROM {{processor_config}} WHERE job_name = p_job_name;
      IF clock_timestamp() - v_claim.started_at >= make_interval(secs => v_config.timeout_seconds) THEN
        PERFORM {{schema}}.settle(v_claim, p_job_name, p_source, 'timeout', 'timeout',
          format('cancelled after timeout_seconds = %s', v_config.timeout_seconds), NULL);
        RETURN 'timeout';
      END IF;
      -- An operator's cancel, or a shutdown: not the fragment's fault, and the run shall end.
      PERFORM {{schema}}.release_claim(v_claim);
      RETURN 'cancelled';
    WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN
      GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
      PERFORM {{schema}}.put_back(v_claim, p_job_name, p_source, format('%s: %s', v_state, v_message), '1 s');
      RETURN 'put_back';
    WHEN OTHERS OR assert_failure THEN
      GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
      v_error := format('%s: %s', v_state, v_message);
      PERFORM {{schema}}.settle(v_claim, p_job_name, p_source, 'failed', 'failed', v_error, NULL);
      RETURN 'failed';
  END;
END
$$;
COMMENT ON FUNCTION {{schema}}.process_claim(integer, text, text) IS
  'Works on one claimed and started fragment; p_source is cron or manual. Returns how it ended: ok, limit, skipped, failed, '
  'timeout, put_back, cancelled, or the number of bits its bit cache needs before it can be tried again.';

REVOKE ALL ON FUNCTION {{schema}}.evaluate_and_store({{schema}}.claim, integer, integer),
  {{schema}}.is_cached(text, text), {{schema}}.process_claim(integer, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.evaluate_and_store({{schema}}.claim, integer, integer),
  {{schema}}.is_cached(text, text), {{schema}}.process_claim(integer, text, text) TO {{cron_role}}, {{client_role}};
