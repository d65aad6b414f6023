CREATE OR REPLACE FUNCTION {{schema}}.log_cutoff() RETURNS timestamp
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT now()::timestamp - make_interval(days => log_retention_days) FROM {{schema}}.settings
$$;
COMMENT ON FUNCTION {{schema}}.log_cutoff IS
  'Log rows from before this time, in the session''s time zone as they are, are to be deleted.';
REVOKE ALL ON FUNCTION {{schema}}.log_cutoff FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.log_cutoff TO {{cron_role}};
