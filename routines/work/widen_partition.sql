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
