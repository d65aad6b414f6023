CREATE FUNCTION partitioncache.log_cutoff() RETURNS timestamp without time zone
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT now()::timestamp - make_interval(days => log_retention_days) FROM "partitioncache".settings
$$;

COMMENT ON FUNCTION partitioncache.log_cutoff() IS 'Log rows from before this time, in the session''s time zone as they are, are to be deleted.';

REVOKE ALL ON FUNCTION partitioncache.log_cutoff() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.log_cutoff() TO cron_role;
