CREATE FUNCTION partitioncache.cron_link_name() RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- The names of foreign servers are unique in a database; the schema in the name keeps those of
  -- two deployments apart.
  SELECT 'partitioncache' || '_cron'
$$;

COMMENT ON FUNCTION partitioncache.cron_link_name() IS 'Name of the foreign server that leads to the pg_cron database.';

REVOKE ALL ON FUNCTION partitioncache.cron_link_name() FROM PUBLIC;
