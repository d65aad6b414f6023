-- A pg_cron with more jobs due than it may run at once stops looking after some of those that run:
-- they fail to start, or hold their places after their end (its issue 63). So what is at rest is
-- not due, and what is at work keeps to its share.
CREATE OR REPLACE FUNCTION {{cron_schema}}.share_of_places() RETURNS integer
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH at_work AS MATERIALIZED (
    SELECT is_own, row_number() OVER (ORDER BY database, key) AS rank,
           count(*) OVER () AS deployments
    FROM {{cron_schema}}.at_work()
  ),
  free AS (
    -- One for runs that end at once, such as those in this database.
    SELECT greatest(0, {{cron_schema}}.places() - 1 - {{cron_schema}}.places_at_rest()) AS places
  )
  SELECT coalesce(max(
    places / deployments
    -- What cannot be divided goes round.
    + CASE WHEN (rank + extract(epoch FROM now())::bigint / 60) % deployments < places % deployments
        THEN 1 ELSE 0 END), 0)::integer
  FROM at_work, free
  WHERE is_own
$$;
COMMENT ON FUNCTION {{cron_schema}}.share_of_places IS
  'How many jobs of pg_cron this deployment may have running at this moment: as many as each other '
  'one that has work. 0 if it has none.';
REVOKE ALL ON FUNCTION {{cron_schema}}.share_of_places FROM PUBLIC;
