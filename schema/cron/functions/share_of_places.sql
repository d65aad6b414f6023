CREATE FUNCTION partitioncache_work_database.share_of_places() RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH at_work AS MATERIALIZED (
    SELECT is_own, row_number() OVER (ORDER BY database, key) AS rank,
           count(*) OVER () AS deployments
    FROM "partitioncache_work_database".at_work()
  ),
  free AS (
    -- One for runs that end at once, such as those in this database.
    SELECT greatest(0, "partitioncache_work_database".places() - 1 - "partitioncache_work_database".places_at_rest()) AS places
  )
  SELECT coalesce(max(
    places / deployments
    -- What cannot be divided goes round.
    + CASE WHEN (rank + extract(epoch FROM now())::bigint / 60) % deployments < places % deployments
        THEN 1 ELSE 0 END), 0)::integer
  FROM at_work, free
  WHERE is_own
$$;

COMMENT ON FUNCTION partitioncache_work_database.share_of_places() IS 'How many jobs of pg_cron this deployment may have running at this moment: as many as each other one that has work. 0 if it has none.';

REVOKE ALL ON FUNCTION partitioncache_work_database.share_of_places() FROM PUBLIC;
