CREATE FUNCTION partitioncache.keys_expression(p_backend text, p_datatype text, p_bitsize integer) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  -- An empty set is a result; NULL would tell the client that the set is of no use.
  RETURN CASE
    WHEN p_backend = 'bit' THEN
      format('%I.key_bits(coalesce(result.bigint_keys, ''{}''), %s)', 'partitioncache', p_bitsize)
    WHEN p_backend = 'roaringbit' THEN
      format('%I.rb_build(coalesce(result.bigint_keys, ''{}'')::integer[])',
        "partitioncache".roaringbitmap_schema())
    WHEN p_datatype = 'integer' THEN 'coalesce(result.bigint_keys, ''{}'')'
    WHEN p_datatype = 'float' THEN 'coalesce(result.numeric_keys, ''{}'')'
    WHEN p_datatype = 'text' THEN 'coalesce(result.text_keys, ''{}'')'
    WHEN p_datatype = 'timestamp' THEN 'coalesce(result.timestamp_keys, ''{}'')'
  END;
END
$$;

COMMENT ON FUNCTION partitioncache.keys_expression(p_backend text, p_datatype text, p_bitsize integer) IS 'SQL expression that turns the keys of an item_result named result into what a cache table of this backend holds.';

REVOKE ALL ON FUNCTION partitioncache.keys_expression(p_backend text, p_datatype text, p_bitsize integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.keys_expression(p_backend text, p_datatype text, p_bitsize integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.keys_expression(p_backend text, p_datatype text, p_bitsize integer) TO client_role;
