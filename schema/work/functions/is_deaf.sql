CREATE FUNCTION partitioncache.is_deaf(p_cancelled_at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  -- A function of a fragment may catch its cancel. It is cancelled again each second, for so long.
  RETURN coalesce(clock_timestamp() > p_cancelled_at + interval '10 s', false);
END
$$;

COMMENT ON FUNCTION partitioncache.is_deaf(p_cancelled_at timestamp with time zone) IS 'Whether a fragment that was first cancelled then, and still goes on, does not let itself be cancelled.';

REVOKE ALL ON FUNCTION partitioncache.is_deaf(p_cancelled_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.is_deaf(p_cancelled_at timestamp with time zone) TO cron_role;
