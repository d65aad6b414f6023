CREATE FUNCTION partitioncache_work_database.share_of_places() RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT "partitioncache_work_database".own_part(
    -- One for runs that end at once, such as those in this database.
    "partitioncache_work_database".places() - 1 - "partitioncache_work_database".places_at_rest(),
    -- A place takes a minute to change hands.
    300)
$$;

COMMENT ON FUNCTION partitioncache_work_database.share_of_places() IS 'How many jobs of pg_cron this deployment may have due: as many as each other one that has work, of what those without work leave. 0 if it has none.';

REVOKE ALL ON FUNCTION partitioncache_work_database.share_of_places() FROM PUBLIC;
