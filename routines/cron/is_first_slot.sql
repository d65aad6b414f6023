CREATE OR REPLACE FUNCTION {{cron_schema}}.is_first_slot(p_command text, p_schedule text)
RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT p_command ~ '^CALL .*[.]run_processor[(].*, 1[)]$'
     AND (p_schedule ~ '^[0-9]+ seconds$' OR p_schedule = '* * * * *')
$$;
COMMENT ON FUNCTION {{cron_schema}}.is_first_slot IS
  'Whether a job with this command and schedule is the first slot of a processor, of any '
  'deployment, that starts at least once a minute and so holds a place at all times.';
REVOKE ALL ON FUNCTION {{cron_schema}}.is_first_slot FROM PUBLIC;
