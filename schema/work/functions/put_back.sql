CREATE FUNCTION partitioncache.put_back(p_result partitioncache.item_result, p_wait interval, p_counts integer, p_run partitioncache.run_context) RETURNS partitioncache.item_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result := p_result;
  v_item "partitioncache".batch_item := p_result.item;
  v_attempts integer;
BEGIN
  IF p_run.own_session THEN
    INSERT INTO "partitioncache".attempt AS attempt
      (query_hash, partition_key, attempts, not_before, last_error)
    VALUES (v_item.query_hash, v_item.partition_key, p_counts,
            clock_timestamp() + p_wait, p_result.error)
    ON CONFLICT (query_hash, partition_key) DO UPDATE
      SET attempts = attempt.attempts + p_counts,
          not_before = EXCLUDED.not_before,
          last_error = EXCLUDED.last_error
    RETURNING attempts INTO v_attempts;
    v_item.retried := true;
  ELSIF p_counts > 0 THEN
    v_attempts := "partitioncache".log_attempt(p_result, p_run);
  END IF;
  v_result.item := v_item;
  v_result.outcome := 'put_back';
  IF v_attempts >= (SELECT max_attempts FROM "partitioncache".service) THEN
    v_result.outcome := 'failed';
    v_result.error := format(
      'set aside after %s attempts; the last one: %s', v_attempts, p_result.error);
  END IF;
  RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.put_back(p_result partitioncache.item_result, p_wait interval, p_counts integer, p_run partitioncache.run_context) IS 'Records that an attempt ended without a result, for the reason in error, and that the fragment must not be claimed again before p_wait is over. p_counts: 1, or 0 when the fragment was not at fault. Returns the result as put_back, or as failed after max_attempts, still to be settled. Within a client''s transaction the attempt is logged, and only other such transactions wait, for a second.';

REVOKE ALL ON FUNCTION partitioncache.put_back(p_result partitioncache.item_result, p_wait interval, p_counts integer, p_run partitioncache.run_context) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.put_back(p_result partitioncache.item_result, p_wait interval, p_counts integer, p_run partitioncache.run_context) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.put_back(p_result partitioncache.item_result, p_wait interval, p_counts integer, p_run partitioncache.run_context) TO client_role;
