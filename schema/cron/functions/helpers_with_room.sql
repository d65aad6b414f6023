CREATE FUNCTION partitioncache_work_database.helpers_with_room(p_maintenance boolean) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT least(
           "partitioncache_work_database".share_of_places(),
           -- Beyond what it has, only what is free: others may not yet have given back what is
           -- above their own share. One part for each dispatch until it looks again.
           first_slots + awake + "partitioncache_work_database".own_part(
             "partitioncache_work_database".places() - 1 - "partitioncache_work_database".places_taken(), 14))
         - 1 - first_slots
  FROM (
    SELECT count(*)::integer AS first_slots
    FROM "partitioncache_work_database".own_jobs()
    WHERE active AND "partitioncache_work_database".is_first_slot(command, schedule)
  ) AS own,
  (
    -- Maintenance that is not on demand is always due.
    SELECT count(*)::integer + (NOT p_maintenance)::integer AS awake
    FROM "partitioncache_work_database".jobs_on_demand(p_maintenance)
    WHERE schedule <> rest_schedule
  ) AS on_demand
$$;

COMMENT ON FUNCTION partitioncache_work_database.helpers_with_room(p_maintenance boolean) IS 'How many slots beside the first of each processor may be due, by this deployment''s share of the places, which the first ones and maintenance take from before them, and by what is free; below 0 if maintenance may not. p_maintenance: whether maintenance is on demand.';

REVOKE ALL ON FUNCTION partitioncache_work_database.helpers_with_room(p_maintenance boolean) FROM PUBLIC;
