CREATE FUNCTION partitioncache.delete_old_log(p_limit integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '100ms'
    AS $$
DECLARE
  v_deleted integer;
BEGIN
  PERFORM "partitioncache".hold_own_tables('write', '"public"."partitioncache_queue_processor_log"');
  DELETE FROM "public"."partitioncache_queue_processor_log"
  WHERE id IN (
    SELECT id FROM "public"."partitioncache_queue_processor_log"
    WHERE created_at < "partitioncache".log_cutoff()
    ORDER BY created_at
    LIMIT p_limit);
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
EXCEPTION
  WHEN lock_not_available THEN
    -- A client has locked the whole table: leave it to the next look.
    RETURN 0;
END
$$;

COMMENT ON FUNCTION partitioncache.delete_old_log(p_limit integer) IS 'Deletes up to p_limit log rows that are older than log_retention_days, the oldest first. Returns how many.';

REVOKE ALL ON FUNCTION partitioncache.delete_old_log(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.delete_old_log(p_limit integer) TO cron_role;
