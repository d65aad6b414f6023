CREATE FUNCTION partitioncache_work_database.is_at_work() RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT EXISTS (SELECT FROM "partitioncache_work_database".at_work() WHERE is_own)
$$;

COMMENT ON FUNCTION partitioncache_work_database.is_at_work() IS 'Whether this deployment has work at hand at this moment.';

REVOKE ALL ON FUNCTION partitioncache_work_database.is_at_work() FROM PUBLIC;
