-- Read in the pg_cron database (at_work there), which has the same functions for the keys, and
-- knows of this one no more than its name. As UTF-8, since the encodings may differ.
CREATE OR REPLACE FUNCTION {{schema}}.show_work() RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
  -- Not taken only where somebody else has it, and then it shows the same.
  SELECT pg_try_advisory_xact_lock_shared(
    hashtext('pcache-migrate at work'),
    hashtext(encode(convert_to({{schema:literal}}, 'UTF8'), 'hex')))
$$;
COMMENT ON FUNCTION {{schema}}.show_work IS
  'Shows until the end of the transaction that this deployment has work at hand, by an advisory '
  'lock: dispatch in the pg_cron database looks for it, and wakes the jobs that rest.';
REVOKE ALL ON FUNCTION {{schema}}.show_work FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.show_work TO {{cron_role}};
