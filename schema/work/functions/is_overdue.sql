CREATE FUNCTION partitioncache.is_overdue(p_run partitioncache.run_context) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  RETURN coalesce(clock_timestamp() > p_run.claimed_at + ("partitioncache".clocks()).overdue, false);
END
$$;

COMMENT ON FUNCTION partitioncache.is_overdue(p_run partitioncache.run_context) IS 'Whether the run''s batch takes longer than it should; then the run leaves the rest to others.';

REVOKE ALL ON FUNCTION partitioncache.is_overdue(p_run partitioncache.run_context) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.is_overdue(p_run partitioncache.run_context) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.is_overdue(p_run partitioncache.run_context) TO client_role;
