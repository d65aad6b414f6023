CREATE OR REPLACE FUNCTION {{schema}}.name_session() RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
  -- pg_cron names its connections so, but not its background workers; and from another role
  -- PostgreSQL hides what kind of session they are.
  SELECT set_config('application_name', 'pg_cron', false)
  FROM pg_stat_get_activity(pg_backend_pid())
  WHERE backend_type = 'pg_cron'
$$;
COMMENT ON FUNCTION {{schema}}.name_session IS
  'Lets every role see that this session is a run of pg_cron''s, also as a background worker: '
  'other deployments count them, to share the places (share_of_places in the pg_cron database).';
REVOKE ALL ON FUNCTION {{schema}}.name_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.name_session TO {{cron_role}};
