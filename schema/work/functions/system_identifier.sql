CREATE FUNCTION partitioncache.system_identifier() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF has_function_privilege('pg_control_system()', 'EXECUTE') THEN
    RETURN (SELECT system_identifier FROM pg_control_system());
  END IF;
  RETURN NULL;
END
$$;

COMMENT ON FUNCTION partitioncache.system_identifier() IS 'What tells this cluster from every other; NULL where the platform hides it.';

REVOKE ALL ON FUNCTION partitioncache.system_identifier() FROM PUBLIC;
