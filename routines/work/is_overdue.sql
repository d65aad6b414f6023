CREATE OR REPLACE FUNCTION {{schema}}.is_overdue(p_run {{schema}}.run_context) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN coalesce(clock_timestamp() > p_run.claimed_at + ({{schema}}.clocks()).overdue, false);
END
$$;
COMMENT ON FUNCTION {{schema}}.is_overdue IS
  'Whether the run''s batch takes longer than it should; then the run leaves the rest to others.';
REVOKE ALL ON FUNCTION {{schema}}.is_overdue FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.is_overdue TO {{cron_role}}, {{client_role}};
