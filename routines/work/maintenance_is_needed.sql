CREATE OR REPLACE FUNCTION {{schema}}.maintenance_is_needed(p_after_id integer) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- In the middle of the queue.
  IF p_after_id <> 0 OR {{schema}}.has_runs() THEN
    RETURN true;
  END IF;
  PERFORM {{schema}}.hold_own_tables(
    'read', {{processor_config:literal}}, {{processor_log:literal}});
  RETURN {{schema}}.watches_always()
    OR EXISTS (SELECT FROM {{processor_log}} WHERE created_at < {{schema}}.log_cutoff());
END
$$;
COMMENT ON FUNCTION {{schema}}.maintenance_is_needed IS
  'Whether maintenance has something to watch or to clean up, or has to be there beforehand. '
  'p_after_id: where it is in the queue, 0 at the end.';
REVOKE ALL ON FUNCTION {{schema}}.maintenance_is_needed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.maintenance_is_needed TO {{cron_role}};
