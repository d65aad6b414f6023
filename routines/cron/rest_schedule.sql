CREATE OR REPLACE FUNCTION {{cron_schema}}.rest_schedule(p_kind text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE p_kind
    -- It keeps queue and log small as well. Not all deployments in the same minute.
    WHEN 'maintenance' THEN format('%s * * * *',
      abs(mod(hashtext(encode(convert_to({{cron_schema:literal}}, 'UTF8'), 'hex')), 60)))
    -- On the 30th of February.
    WHEN 'processor' THEN '0 0 30 2 *'
  END
$$;
COMMENT ON FUNCTION {{cron_schema}}.rest_schedule IS
  'The schedule of a job on demand while there is no work: once an hour for maintenance, never for '
  'a slot of a processor.';
REVOKE ALL ON FUNCTION {{cron_schema}}.rest_schedule FROM PUBLIC;
