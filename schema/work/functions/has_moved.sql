CREATE FUNCTION partitioncache.has_moved() RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT (work_database <> current_database()
          OR database_oid <> (SELECT oid FROM pg_database WHERE datname = current_database())
          OR system_identifier <> "partitioncache".system_identifier()) IS TRUE
  FROM "partitioncache".deployment
$$;

COMMENT ON FUNCTION partitioncache.has_moved() IS 'Whether this is not the database that was deployed, but it renamed, a copy or a restored one: the jobs in pg_cron may be those of another, until pcache-migrate adopt.';

REVOKE ALL ON FUNCTION partitioncache.has_moved() FROM PUBLIC;
