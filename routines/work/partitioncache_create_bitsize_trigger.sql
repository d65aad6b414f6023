CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_create_bitsize_trigger(
  p_table_prefix text
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_deployment record := {{client_schema}}.partitioncache_find_deployment(p_table_prefix);
  v_table text := format(
    '%I.%I', {{client_schema:literal}}, p_table_prefix || '_partition_metadata');
BEGIN
  IF v_deployment.cache_backend <> 'bit' THEN
    RAISE EXCEPTION 'cache % has backend %: only bit has a bitsize',
      p_table_prefix, v_deployment.cache_backend
      USING ERRCODE = 'feature_not_supported';
  END IF;
  -- The deployment created this trigger. It is missing where a client has recreated the table.
  IF NOT EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid = v_table::regclass AND tgname = 'pcache_widen'
  ) THEN
    EXECUTE format(
      'CREATE TRIGGER pcache_widen BEFORE UPDATE OF bitsize ON %s '
      'FOR EACH ROW EXECUTE FUNCTION %I.widen_bit_cache()',
      v_table, v_deployment.schema_name);
  END IF;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_create_bitsize_trigger(text) IS
  'Makes sure that raising bitsize in the metadata widens the cache table and '
  'keeps its rows. Part of the clients'' contract.';
