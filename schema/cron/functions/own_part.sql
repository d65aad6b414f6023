CREATE FUNCTION partitioncache_work_database.own_part(p_places bigint, p_turn_seconds integer) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH at_work AS (
    SELECT is_own, row_number() OVER (ORDER BY database, key) AS rank,
           count(*) OVER () AS deployments
    FROM "partitioncache_work_database".at_work()
  )
  SELECT coalesce(max(
    p_places / deployments
    + CASE
        WHEN (rank + extract(epoch FROM now())::bigint / p_turn_seconds) % deployments
               < p_places % deployments
        THEN 1 ELSE 0
      END), 0)::integer
  FROM at_work
  WHERE is_own AND p_places > 0
$$;

COMMENT ON FUNCTION partitioncache_work_database.own_part(p_places bigint, p_turn_seconds integer) IS 'This deployment''s part of p_places that are divided among all that have work; what cannot be divided goes round, each p_turn_seconds to the next. 0 if it has no work.';

REVOKE ALL ON FUNCTION partitioncache_work_database.own_part(p_places bigint, p_turn_seconds integer) FROM PUBLIC;
