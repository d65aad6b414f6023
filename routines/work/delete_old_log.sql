CREATE OR REPLACE FUNCTION {{schema}}.delete_old_log(p_limit integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $$
DECLARE
  v_deleted integer;
BEGIN
  PERFORM {{schema}}.hold_own_tables('write', {{processor_log:literal}});
  DELETE FROM {{processor_log}}
  WHERE id IN (
    SELECT id FROM {{processor_log}}
    WHERE created_at < {{schema}}.log_cutoff()
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
COMMENT ON FUNCTION {{schema}}.delete_old_log IS
  'Deletes up to p_limit log rows that are older than log_retention_days, the oldest first. '
  'Returns how many.';
REVOKE ALL ON FUNCTION {{schema}}.delete_old_log FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.delete_old_log TO {{cron_role}};
