CREATE FUNCTION partitioncache.known_fragment_rows() RETURNS TABLE(status text, fragments bigint, last_seen timestamp without time zone)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
  PERFORM "partitioncache".hold_own_tables('read', '"public"."my_cache_queries"');
  RETURN QUERY
  SELECT known.status, count(*), max(known.last_seen)
  FROM "public"."my_cache_queries" AS known
  GROUP BY known.status;
END
$$;

COMMENT ON FUNCTION partitioncache.known_fragment_rows() IS 'What the view known_fragments shows.';

REVOKE ALL ON FUNCTION partitioncache.known_fragment_rows() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.known_fragment_rows() TO client_role;
GRANT ALL ON FUNCTION partitioncache.known_fragment_rows() TO cron_role;
