CREATE FUNCTION partitioncache.record_cron_side(p_transport text, p_pg_cron_version text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  UPDATE "partitioncache".deployment SET transport = p_transport, pg_cron_version = p_pg_cron_version
$$;

COMMENT ON FUNCTION partitioncache.record_cron_side(p_transport text, p_pg_cron_version text) IS 'Records how pg_cron is reached from now on (deploy, direct or link) and its version; (deploy, NULL) once the cron stream is gone.';

REVOKE ALL ON FUNCTION partitioncache.record_cron_side(p_transport text, p_pg_cron_version text) FROM PUBLIC;
