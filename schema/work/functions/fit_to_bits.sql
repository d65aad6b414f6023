CREATE FUNCTION partitioncache.fit_to_bits(p_result partitioncache.item_result, p_backend text, p_bitsize integer) RETURNS partitioncache.item_result
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result := p_result;
  v_needed bigint := "partitioncache".bits_needed(p_result);
BEGIN
  IF p_result.outcome <> 'ok' THEN
    RETURN p_result;
  END IF;
  IF p_result.bigint_keys[1] < 0 THEN
    v_result.error := format(
      '22003: key %s cannot be stored in a %s cache: keys start at 0; '
      'use the array backend for negative keys', p_result.bigint_keys[1], p_backend);
  ELSIF p_backend = 'roaringbit' AND v_needed > 2147483648 THEN
    v_result.error := format(
      '22003: key %s is too large for a roaring bitmap of integers; '
      'use the array backend for such keys', v_needed - 1);
  ELSIF p_backend = 'bit' AND v_needed > 83886080 THEN
    v_result.error := format(
      '22003: key %s is too large for a bit cache: PostgreSQL''s bit strings end at 83886080 bits; '
      'use the roaringbit or the array backend for such keys', v_needed - 1);
  END IF;
  v_result.outcome := CASE
    WHEN v_result.error IS NOT NULL THEN 'failed'
    WHEN p_backend = 'bit' AND v_needed > p_bitsize THEN 'too_narrow'
    ELSE 'ok'
  END;
  RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.fit_to_bits(p_result partitioncache.item_result, p_backend text, p_bitsize integer) IS 'The result, as failed when a bit or roaringbit cache cannot hold its keys, as too_narrow when a bit cache of p_bitsize bits cannot hold them yet.';

REVOKE ALL ON FUNCTION partitioncache.fit_to_bits(p_result partitioncache.item_result, p_backend text, p_bitsize integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.fit_to_bits(p_result partitioncache.item_result, p_backend text, p_bitsize integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.fit_to_bits(p_result partitioncache.item_result, p_backend text, p_bitsize integer) TO client_role;
