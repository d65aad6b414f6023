CREATE FUNCTION partitioncache.widen_partition(p_partition_key text, p_bits integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_bits integer;
BEGIN
  PERFORM "partitioncache".hold_own_tables('alter', '"public"."my_cache_partition_metadata"');
  -- A client whose role owns the metadata adds its own trigger there,
  -- which refuses to widen a cache that has rows.
  ALTER TABLE "public"."my_cache_partition_metadata" DISABLE TRIGGER USER;
  -- At least double it, so that a growing key space costs few rewrites.
  UPDATE "public"."my_cache_partition_metadata"
  SET bitsize = greatest(p_bits, least(bitsize::bigint * 2, 83886080)::integer)
  WHERE partition_key = p_partition_key AND bitsize < p_bits
  RETURNING bitsize INTO v_bits;
  IF v_bits IS NOT NULL THEN
    PERFORM "partitioncache".alter_bit_cache(p_partition_key, v_bits);
  END IF;
  ALTER TABLE "public"."my_cache_partition_metadata" ENABLE TRIGGER USER;
END
$$;

COMMENT ON FUNCTION partitioncache.widen_partition(p_partition_key text, p_bits integer) IS 'Widens the bit cache of a partition key to p_bits or more; does nothing when it is wide enough. Locks the cache table exclusively.';

REVOKE ALL ON FUNCTION partitioncache.widen_partition(p_partition_key text, p_bits integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.widen_partition(p_partition_key text, p_bits integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.widen_partition(p_partition_key text, p_bits integer) TO client_role;
