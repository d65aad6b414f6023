CREATE FUNCTION partitioncache.resume_1() RETURNS boolean
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT "partitioncache".release_hold('pause')
$$;

COMMENT ON FUNCTION partitioncache.resume_1() IS 'Ends a pause: what is enabled is processed again. Returns false where nothing was paused. Holds of others stay (holds_1). Contract 1: name, arguments and result stay, for other versions of pcache-migrate.';

REVOKE ALL ON FUNCTION partitioncache.resume_1() FROM PUBLIC;
