CREATE OR REPLACE FUNCTION {{schema}}.bits_needed(p_result {{schema}}.item_result) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN coalesce(p_result.bigint_keys[cardinality(p_result.bigint_keys)] + 1, 1);
END
$$;
COMMENT ON FUNCTION {{schema}}.bits_needed IS
  'How many bits a set of keys needs: one more than its largest key.';
REVOKE ALL ON FUNCTION {{schema}}.bits_needed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.bits_needed TO {{cron_role}}, {{client_role}};
