CREATE OR REPLACE FUNCTION {{schema}}.process_locked(
  p_items {{schema}}.batch_item[], p_run {{schema}}.run_context
) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_locks text[] := {{schema}}.session_locks();
  v_statements text[] := ARRAY(SELECT name FROM pg_prepared_statements);
  v_next integer := 1;
  v_end {{schema}}.chunk_end;
  v_items {{schema}}.batch_item[];
BEGIN
  WHILE v_next IS NOT NULL LOOP
    v_end := {{schema}}.process_chunk(p_items, v_next, p_run);
    PERFORM {{schema}}.restore_session(v_locks, v_statements);
    v_next := v_end.next_item;
    WHILE v_end.narrow IS NOT NULL LOOP
      v_items := {{schema}}.widen_for(v_end.narrow, p_run);
      EXIT WHEN v_items IS NULL;
      v_end := {{schema}}.process_chunk(v_items, 1, p_run);
    END LOOP;
  END LOOP;
  RETURN NOT v_end.ends_run;
END
$$;
COMMENT ON FUNCTION {{schema}}.process_locked IS
  'Processes fragments whose queue rows the caller''s transaction has locked. Returns '
  'false when the caller was cancelled meanwhile.';
REVOKE ALL ON FUNCTION {{schema}}.process_locked FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.process_locked TO {{cron_role}}, {{client_role}};
