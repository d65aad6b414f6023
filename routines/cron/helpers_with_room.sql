CREATE OR REPLACE FUNCTION {{cron_schema}}.helpers_with_room() RETURNS integer
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT {{cron_schema}}.share_of_places() - 1 - count(*)::integer
  FROM {{cron_schema}}.own_jobs()
  WHERE active AND {{cron_schema}}.is_first_slot(command, schedule)
$$;
COMMENT ON FUNCTION {{cron_schema}}.helpers_with_room IS
  'How many slots beside the first of each processor have room in this deployment''s share of the '
  'places, which the first ones and maintenance take from before them; below 0 if maintenance has '
  'none.';
REVOKE ALL ON FUNCTION {{cron_schema}}.helpers_with_room FROM PUBLIC;
