CREATE FUNCTION partitioncache.skipped(p_item partitioncache.batch_item) RETURNS partitioncache.item_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result;
BEGIN
  v_result.item := p_item;
  v_result.outcome := 'skipped';
  v_result.started_at := clock_timestamp();
  v_result.ended_at := v_result.started_at;
  RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.skipped(p_item partitioncache.batch_item) IS 'The result of a fragment that is already cached.';

REVOKE ALL ON FUNCTION partitioncache.skipped(p_item partitioncache.batch_item) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.skipped(p_item partitioncache.batch_item) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.skipped(p_item partitioncache.batch_item) TO client_role;
