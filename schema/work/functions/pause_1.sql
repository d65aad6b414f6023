CREATE FUNCTION partitioncache.pause_1(p_reason text, p_host text DEFAULT NULL::text) RETURNS boolean
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT "partitioncache".place_hold('pause', p_reason, p_host, false)
$$;

COMMENT ON FUNCTION partitioncache.pause_1(p_reason text, p_host text) IS 'Stops all processing until resume_1: runs end within about a second, or with the fragment that they evaluate. Returns false where it was paused already, and then keeps that reason. Contract 1: name, arguments and result stay, for other versions of pcache-migrate.';

REVOKE ALL ON FUNCTION partitioncache.pause_1(p_reason text, p_host text) FROM PUBLIC;
