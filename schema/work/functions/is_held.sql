CREATE FUNCTION partitioncache.is_held() RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  RETURN EXISTS (SELECT FROM "partitioncache".holds_1);
END
$$;

COMMENT ON FUNCTION partitioncache.is_held() IS 'Whether nothing may be processed at this moment, because somebody paused or because up or down is at work. Runs ask at each step.';

REVOKE ALL ON FUNCTION partitioncache.is_held() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.is_held() TO cron_role;
GRANT ALL ON FUNCTION partitioncache.is_held() TO client_role;
