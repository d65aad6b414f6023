CREATE FUNCTION partitioncache.cron_link_name() RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- Foreign servers are named per database; the schema keeps two deployments of one database apart.
  SELECT 'partitioncache' || '_cron'
$$;

COMMENT ON FUNCTION partitioncache.cron_link_name() IS 'Name of the foreign server that leads to the pg_cron database.';

REVOKE ALL ON FUNCTION partitioncache.cron_link_name() FROM PUBLIC;
