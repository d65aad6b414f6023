CREATE OR REPLACE FUNCTION {{schema}}.alter_bit_cache(p_partition_key text, p_bits integer)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_table text := format(
    '%I.%I', {{client_schema:literal}}, {{schema}}.cache_table_name(p_partition_key));
  v_why_not text;
BEGIN
  PERFORM {{schema}}.hold_own_tables('rewrite', v_table);
  SELECT why_not INTO v_why_not FROM {{schema}}.cache_tables(p_partition_key);
  IF v_why_not IS NOT NULL THEN
    RAISE EXCEPTION 'table % is not widened, because it is no cache table of ours: %',
      v_table, v_why_not
      USING ERRCODE = 'wrong_object_type';
  END IF;
  IF to_regclass(v_table) IS NOT NULL THEN
    -- One rewrite is enough: the cast pads on the right, where the new, larger keys belong. The
    -- count depends on the column, so it must be dropped before the type can change.
    EXECUTE format(
      'ALTER TABLE %1$s DROP COLUMN partition_keys_count, '
      'ALTER COLUMN partition_keys TYPE bit(%2$s) USING partition_keys::bit(%2$s), '
      'ADD COLUMN partition_keys_count integer GENERATED ALWAYS AS (%3$s) STORED',
      v_table, p_bits, {{schema}}.set_bits_expression());
  END IF;
END
$$;
COMMENT ON FUNCTION {{schema}}.alter_bit_cache IS
  'Rewrites the bit cache of a partition key with p_bits bits and keeps its rows. Locks the cache '
  'table exclusively.';
REVOKE ALL ON FUNCTION {{schema}}.alter_bit_cache FROM PUBLIC;
