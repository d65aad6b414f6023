CREATE FUNCTION partitioncache.probe_fragment(p_query text) RETURNS oid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_fragment text := "partitioncache".fragment_text(p_query);
  v_is_closed boolean := "partitioncache".is_plainly_closed(v_fragment);
BEGIN
  RETURN ("partitioncache".run_fragment(v_fragment, v_is_closed, NULL, NULL)).result_type;
END
$$;

COMMENT ON FUNCTION partitioncache.probe_fragment(p_query text) IS 'The type that a fragment returns, found without running it. Raises PostgreSQL''s own error for a fragment that is not a SELECT of one column.';

REVOKE ALL ON FUNCTION partitioncache.probe_fragment(p_query text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.probe_fragment(p_query text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.probe_fragment(p_query text) TO client_role;
