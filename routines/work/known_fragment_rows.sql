CREATE OR REPLACE FUNCTION {{schema}}.known_fragment_rows()
RETURNS TABLE (status text, fragments bigint, last_seen timestamp)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT known.status, count(*), max(known.last_seen)
  FROM {{queries}} AS known
  GROUP BY known.status
$$;
COMMENT ON FUNCTION {{schema}}.known_fragment_rows IS 'What the view known_fragments shows.';
REVOKE ALL ON FUNCTION {{schema}}.known_fragment_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.known_fragment_rows TO {{client_role}}, {{cron_role}};
