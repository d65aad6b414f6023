CREATE OR REPLACE FUNCTION {{schema}}.maintenance_goes_on(
  p_started timestamptz, p_needed timestamptz
) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- A fragment may see to it that no other run can start: then this one must still be there.
  IF EXISTS (SELECT FROM {{schema}}.batch) THEN
    IF EXISTS (SELECT FROM {{schema}}.working_runs()) THEN
      RETURN true;
    END IF;
  END IF;
  IF {{schema}}.is_held() THEN
    RETURN false;
  END IF;
  PERFORM {{schema}}.hold_own_tables('read', {{processor_config:literal}});
  RETURN (
    -- Two looks, so that the hourly run of a deployment at rest soon gives its place back.
    SELECT clock_timestamp() < least(
             p_started + maintenance, coalesce(p_needed + idle, p_started + 2 * look))
      AND EXISTS (SELECT FROM {{processor_config}})
    FROM {{schema}}.clocks()
  );
END
$$;
COMMENT ON FUNCTION {{schema}}.maintenance_goes_on IS
  'Whether a maintenance run that started at p_started, and was needed last at p_needed (NULL: not '
  'yet), should look once more: for a minute at most unless a fragment is at work.';
REVOKE ALL ON FUNCTION {{schema}}.maintenance_goes_on FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.maintenance_goes_on TO {{cron_role}};
