CREATE OR REPLACE FUNCTION {{schema}}.is_deaf(p_cancelled_at timestamptz) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- A function of a fragment may catch its cancel. It is cancelled again each second, for so long.
  RETURN coalesce(clock_timestamp() > p_cancelled_at + interval '10 s', false);
END
$$;
COMMENT ON FUNCTION {{schema}}.is_deaf IS
  'Whether a fragment that was first cancelled then, and still goes on, does not let itself be cancelled.';
REVOKE ALL ON FUNCTION {{schema}}.is_deaf FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.is_deaf TO {{cron_role}};
