CREATE FUNCTION partitioncache.process_locked(p_items partitioncache.batch_item[], p_run partitioncache.run_context) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_locks text[] := "partitioncache".session_locks();
  v_statements text[] := ARRAY(SELECT name FROM pg_prepared_statements);
  v_next integer := 1;
  v_end "partitioncache".chunk_end;
  v_items "partitioncache".batch_item[];
BEGIN
  WHILE v_next IS NOT NULL LOOP
    v_end := "partitioncache".process_chunk(p_items, v_next, p_run);
    PERFORM "partitioncache".restore_session(v_locks, v_statements);
    v_next := v_end.next_item;
    WHILE v_end.narrow IS NOT NULL LOOP
      v_items := "partitioncache".widen_for(v_end.narrow, p_run);
      EXIT WHEN v_items IS NULL;
      v_end := "partitioncache".process_chunk(v_items, 1, p_run);
    END LOOP;
  END LOOP;
  RETURN NOT v_end.ends_run;
END
$$;

COMMENT ON FUNCTION partitioncache.process_locked(p_items partitioncache.batch_item[], p_run partitioncache.run_context) IS 'Processes fragments whose queue rows the caller''s transaction has locked. Returns false when the caller was cancelled meanwhile.';

REVOKE ALL ON FUNCTION partitioncache.process_locked(p_items partitioncache.batch_item[], p_run partitioncache.run_context) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.process_locked(p_items partitioncache.batch_item[], p_run partitioncache.run_context) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.process_locked(p_items partitioncache.batch_item[], p_run partitioncache.run_context) TO client_role;
