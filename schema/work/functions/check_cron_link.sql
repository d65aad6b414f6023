CREATE FUNCTION partitioncache.check_cron_link() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM "partitioncache".query_cron_link(
    format(
      'SELECT to_jsonb(work_database) FROM %I.deployment',
      (SELECT cron_schema FROM "partitioncache".deployment)));
END
$$;

COMMENT ON FUNCTION partitioncache.check_cron_link() IS 'Raises unless the link to the pg_cron database works.';

REVOKE ALL ON FUNCTION partitioncache.check_cron_link() FROM PUBLIC;
