-- A pg_cron with more jobs due than it may run at once stops looking after some of those that run:
-- they fail to start, or hold their places after their end (its issue 63). So what is at rest is
-- not due, and what is at work keeps to its share.
CREATE OR REPLACE FUNCTION {{cron_schema}}.share_of_places() RETURNS integer
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT {{cron_schema}}.own_part(
    -- One for runs that end at once, such as those in this database.
    {{cron_schema}}.places() - 1 - {{cron_schema}}.places_at_rest(),
    -- A place takes a minute to change hands.
    300)
$$;
COMMENT ON FUNCTION {{cron_schema}}.share_of_places IS
  'How many jobs of pg_cron this deployment may have due: as many as each other one that has work, '
  'of what those without work leave. 0 if it has none.';
REVOKE ALL ON FUNCTION {{cron_schema}}.share_of_places FROM PUBLIC;
