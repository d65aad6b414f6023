CREATE FUNCTION partitioncache.process_claimed(p_step partitioncache.run_step) RETURNS boolean
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
    v_end := "partitioncache".process_chunk(p_step.items, v_next, p_step.context);
    PERFORM "partitioncache".restore_session(v_locks, v_statements);
    v_next := v_end.next_item;
    WHILE v_end.narrow IS NOT NULL LOOP
      v_items := "partitioncache".widen_for(v_end.narrow, p_step.context);
      EXIT WHEN v_items IS NULL;
      v_end := "partitioncache".process_chunk(v_items, 1, p_step.context);
    END LOOP;
  END LOOP;
  DELETE FROM "partitioncache".batch WHERE batch_id = (p_step.context).batch_id;
  RETURN NOT v_end.ends_run;
END
$$;

COMMENT ON FUNCTION partitioncache.process_claimed(p_step partitioncache.run_step) IS 'Processes claimed fragments in the caller''s transaction. Returns false when the caller was cancelled meanwhile.';

REVOKE ALL ON FUNCTION partitioncache.process_claimed(p_step partitioncache.run_step) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.process_claimed(p_step partitioncache.run_step) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.process_claimed(p_step partitioncache.run_step) TO client_role;
