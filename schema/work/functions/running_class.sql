CREATE FUNCTION partitioncache.running_class() RETURNS integer
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  RETURN (quote_ident('partitioncache') || '.batch')::regclass::oid::integer;
END
$$;

COMMENT ON FUNCTION partitioncache.running_class() IS 'First key of the advisory locks that say what a run is evaluating. The second key is the queue id of the fragment that began the transaction; a lock with second key 0 is held as well once a later fragment is being evaluated.';

REVOKE ALL ON FUNCTION partitioncache.running_class() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.running_class() TO cron_role;
GRANT ALL ON FUNCTION partitioncache.running_class() TO client_role;
