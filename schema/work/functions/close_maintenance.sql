CREATE FUNCTION partitioncache.close_maintenance() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM pg_advisory_unlock_shared(
    (quote_ident('partitioncache') || '.hold')::regclass::oid::integer, 1);
END
$$;

COMMENT ON FUNCTION partitioncache.close_maintenance() IS 'Ends what open_maintenance shows.';

REVOKE ALL ON FUNCTION partitioncache.close_maintenance() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.close_maintenance() TO cron_role;
