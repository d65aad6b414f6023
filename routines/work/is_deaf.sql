CREATE OR REPLACE FUNCTION {{schema}}.is_deaf(p_cancelled_at timestamptz) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- A function that a fragment calls may catch the cancel. The cancel is repeated each second for
  -- this long.
  RETURN coalesce(clock_timestamp() > p_cancelled_at + ({{schema}}.clocks()).grace, false);
END
$$;
COMMENT ON FUNCTION {{schema}}.is_deaf IS
  'Whether a fragment that was first cancelled at p_cancelled_at, and is still running, ignores '
  'cancels.';
REVOKE ALL ON FUNCTION {{schema}}.is_deaf FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.is_deaf TO {{cron_role}};
