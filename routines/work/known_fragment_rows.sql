CREATE OR REPLACE FUNCTION {{schema}}.known_fragment_rows()
RETURNS TABLE (status text, fragments bigint, last_seen timestamp)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  PERFORM {{schema}}.hold_own_tables('read', {{queries:literal}});
  RETURN QUERY
  SELECT known.status, count(*), max(known.last_seen)
  FROM {{queries}} AS known
  GROUP BY known.status;
END
$$;
COMMENT ON FUNCTION {{schema}}.known_fragment_rows IS 'What the view known_fragments shows.';
REVOKE ALL ON FUNCTION {{schema}}.known_fragment_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.known_fragment_rows TO {{client_role}}, {{cron_role}};
