CREATE FUNCTION partitioncache.bits_needed(p_result partitioncache.item_result) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  RETURN coalesce(p_result.bigint_keys[cardinality(p_result.bigint_keys)] + 1, 1);
END
$$;

COMMENT ON FUNCTION partitioncache.bits_needed(p_result partitioncache.item_result) IS 'How many bits a set of keys needs: one more than its largest key.';

REVOKE ALL ON FUNCTION partitioncache.bits_needed(p_result partitioncache.item_result) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.bits_needed(p_result partitioncache.item_result) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.bits_needed(p_result partitioncache.item_result) TO client_role;
