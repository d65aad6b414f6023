CREATE FUNCTION partitioncache_work_database.helpers_with_room() RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT "partitioncache_work_database".share_of_places() - 1 - count(*)::integer
  FROM "partitioncache_work_database".own_jobs()
  WHERE active AND "partitioncache_work_database".is_first_slot(command, schedule)
$$;

COMMENT ON FUNCTION partitioncache_work_database.helpers_with_room() IS 'How many slots beside the first of each processor have room in this deployment''s share of the places, which the first ones and maintenance take from before them; below 0 if maintenance has none.';

REVOKE ALL ON FUNCTION partitioncache_work_database.helpers_with_room() FROM PUBLIC;
