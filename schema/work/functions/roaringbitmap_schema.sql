CREATE FUNCTION partitioncache.roaringbitmap_schema() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_schema text := (
    SELECT nspname
    FROM pg_extension
    JOIN pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname = 'roaringbitmap');
BEGIN
  IF v_schema IS NULL THEN
    RAISE EXCEPTION 'the extension roaringbitmap is missing in database %', current_database()
      USING ERRCODE = 'undefined_object',
            HINT = 'Have an administrator run there: CREATE EXTENSION roaringbitmap;';
  END IF;
  RETURN v_schema;
END
$$;

COMMENT ON FUNCTION partitioncache.roaringbitmap_schema() IS 'The schema of the extension roaringbitmap. Raises 42704 when the extension is missing.';

REVOKE ALL ON FUNCTION partitioncache.roaringbitmap_schema() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.roaringbitmap_schema() TO cron_role;
GRANT ALL ON FUNCTION partitioncache.roaringbitmap_schema() TO client_role;
