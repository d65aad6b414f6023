CREATE FUNCTION partitioncache.is_deaf(p_cancelled_at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  -- A function that a fragment calls may catch the cancel. The cancel is repeated each second for
  -- this long.
  RETURN coalesce(clock_timestamp() > p_cancelled_at + ("partitioncache".clocks()).grace, false);
END
$$;

COMMENT ON FUNCTION partitioncache.is_deaf(p_cancelled_at timestamp with time zone) IS 'Whether a fragment that was first cancelled at p_cancelled_at, and is still running, ignores cancels.';

REVOKE ALL ON FUNCTION partitioncache.is_deaf(p_cancelled_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.is_deaf(p_cancelled_at timestamp with time zone) TO cron_role;
