CREATE FUNCTION partitioncache.batch_limit(p_last partitioncache.run_step, p_now timestamp with time zone) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- A claim is durable and so costs a flush, which many quick fragments should share. But no other
  -- run can take what one run has claimed, and each claimed fragment waits for those before it. So
  -- the limit starts at one and grows only while batches stay short.
  SELECT greatest(1, least(
    settings.batch_size,
    coalesce(p_last.wanted, 0)::bigint * 4,
    coalesce(
      cardinality(p_last.items) * extract(epoch FROM clocks.batch)
        / greatest(extract(epoch FROM p_now - (p_last.context).claimed_at), 0.001),
      1)::bigint))::integer
  FROM "partitioncache".settings, "partitioncache".clocks() AS clocks
$$;

COMMENT ON FUNCTION partitioncache.batch_limit(p_last partitioncache.run_step, p_now timestamp with time zone) IS 'How many fragments to claim after the step p_last: as many as take a quarter of a second at its pace, but at most four times as many as it wanted.';

REVOKE ALL ON FUNCTION partitioncache.batch_limit(p_last partitioncache.run_step, p_now timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.batch_limit(p_last partitioncache.run_step, p_now timestamp with time zone) TO cron_role;
