CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_setup_array_extensions() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF to_regprocedure(
      quote_ident({{client_schema:literal}}) || '.array_intersect_agg(anyarray)') IS NULL THEN
    CREATE AGGREGATE {{client_schema}}.array_intersect_agg(anyarray)
      (SFUNC = {{client_schema}}.partitioncache_array_intersect, STYPE = anyarray);
  END IF;
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'intarray') THEN
    RETURN true;
  END IF;
  BEGIN
    CREATE EXTENSION IF NOT EXISTS intarray SCHEMA {{client_schema}};
    RETURN true;
  EXCEPTION
    -- Without the package, or the right to create the extension, there
    -- is no intarray, and the result says so.
    WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
      RETURN false;
  END;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_setup_array_extensions IS
  'Returns whether the extension intarray is present, after trying to create it. Also makes sure '
  'that the aggregate array_intersect_agg exists. Part of the clients'' contract.';
