CREATE OR REPLACE FUNCTION {{cron_schema}}.helpers_with_room(p_maintenance boolean) RETURNS integer
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT least(
           {{cron_schema}}.share_of_places(),
           -- Beyond what it has, only what is free: others may not yet have given back what is
           -- above their own share. One part for each dispatch until it looks again.
           first_slots + awake + {{cron_schema}}.own_part(
             {{cron_schema}}.places() - 1 - {{cron_schema}}.places_taken(), 14))
         - 1 - first_slots
  FROM (
    SELECT count(*)::integer AS first_slots
    FROM {{cron_schema}}.own_jobs()
    WHERE active AND {{cron_schema}}.is_first_slot(command, schedule)
  ) AS own,
  (
    -- Maintenance that is not on demand is always due.
    SELECT count(*)::integer + (NOT p_maintenance)::integer AS awake
    FROM {{cron_schema}}.jobs_on_demand(p_maintenance)
    WHERE schedule <> rest_schedule
  ) AS on_demand
$$;
COMMENT ON FUNCTION {{cron_schema}}.helpers_with_room IS
  'How many slots beside the first of each processor may be due, by this deployment''s share of '
  'the places, which the first ones and maintenance take from before them, and by what is free; '
  'below 0 if maintenance may not. p_maintenance: whether maintenance is on demand.';
REVOKE ALL ON FUNCTION {{cron_schema}}.helpers_with_room FROM PUBLIC;
