-- A bit cache is widened when a key outgrows it, by a client that
-- raises bitsize or by a run. Its rows are kept.
-- SECURITY DEFINER, because metadata and cache table belong to the migrator.

--! routine alter_bit_cache
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
--! end

--! routine widen_bit_cache
CREATE OR REPLACE FUNCTION {{schema}}.widen_bit_cache() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NEW.bitsize < OLD.bitsize THEN
    RAISE EXCEPTION 'bitsize of partition key "%" cannot shrink from % to %: keys would be lost',
      NEW.partition_key, OLD.bitsize, NEW.bitsize USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.bitsize > OLD.bitsize THEN
    PERFORM {{schema}}.alter_bit_cache(NEW.partition_key, NEW.bitsize);
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION {{schema}}.widen_bit_cache IS
  'Trigger function: widens the cache table of a partition key when its bitsize is raised, and '
  'keeps the rows. Raises 23514 when it would shrink.';
REVOKE ALL ON FUNCTION {{schema}}.widen_bit_cache FROM PUBLIC;
--! end

--! routine widen_partition
-- SECURITY DEFINER, because both tables belong to the migrator.
CREATE OR REPLACE FUNCTION {{schema}}.widen_partition(
  p_partition_key text, p_bits integer
) RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_bits integer;
BEGIN
  PERFORM {{schema}}.hold_own_tables('alter', {{partition_metadata:literal}});
  -- A client whose role owns the metadata adds its own trigger there,
  -- which refuses to widen a cache that has rows.
  ALTER TABLE {{partition_metadata}} DISABLE TRIGGER USER;
  -- At least double it, so that a growing key space costs few rewrites.
  UPDATE {{partition_metadata}}
  SET bitsize = greatest(p_bits, least(bitsize::bigint * 2, 83886080)::integer)
  WHERE partition_key = p_partition_key AND bitsize < p_bits
  RETURNING bitsize INTO v_bits;
  IF v_bits IS NOT NULL THEN
    PERFORM {{schema}}.alter_bit_cache(p_partition_key, v_bits);
  END IF;
  ALTER TABLE {{partition_metadata}} ENABLE TRIGGER USER;
END
$$;
COMMENT ON FUNCTION {{schema}}.widen_partition IS
  'Widens the bit cache of a partition key to p_bits or more; does nothing when it is '
  'wide enough. Locks the cache table exclusively.';
REVOKE ALL ON FUNCTION {{schema}}.widen_partition FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.widen_partition TO {{cron_role}}, {{client_role}};
--! end

DO $backend$
BEGIN
  IF {{cache_backend:literal}} = 'bit' THEN
    CREATE TRIGGER pcache_widen
      BEFORE UPDATE OF bitsize ON {{partition_metadata}}
      FOR EACH ROW EXECUTE FUNCTION {{schema}}.widen_bit_cache();
  END IF;
END
$backend$;
