CREATE OR REPLACE FUNCTION {{schema}}.clean_up_at_rest() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM {{schema}}.batch) OR EXISTS (
    SELECT FROM {{schema}}.runs_1 WHERE kind = 'maintenance')
  THEN
    RETURN;
  END IF;
  PERFORM {{schema}}.release_dead_batches();
  PERFORM {{schema}}.publish_running();
END
$$;
COMMENT ON FUNCTION {{schema}}.clean_up_at_rest IS
  'Does for the runs that have died what maintenance does, while that rests.';
REVOKE ALL ON FUNCTION {{schema}}.clean_up_at_rest FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.clean_up_at_rest TO {{cron_role}};
