CREATE OR REPLACE FUNCTION {{cron_schema}}.is_at_work() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM {{cron_schema}}.at_work() WHERE is_own)
$$;
COMMENT ON FUNCTION {{cron_schema}}.is_at_work IS
  'Whether this deployment has work at hand at this moment.';
REVOKE ALL ON FUNCTION {{cron_schema}}.is_at_work FROM PUBLIC;
