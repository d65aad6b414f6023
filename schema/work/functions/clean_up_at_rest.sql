CREATE FUNCTION partitioncache.clean_up_at_rest() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM "partitioncache".batch) OR EXISTS (
    SELECT FROM "partitioncache".runs_1 WHERE kind = 'maintenance')
  THEN
    RETURN;
  END IF;
  PERFORM "partitioncache".release_dead_batches();
  PERFORM "partitioncache".publish_running();
END
$$;

COMMENT ON FUNCTION partitioncache.clean_up_at_rest() IS 'Does for the runs that have died what maintenance does, while that rests.';

REVOKE ALL ON FUNCTION partitioncache.clean_up_at_rest() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.clean_up_at_rest() TO cron_role;
