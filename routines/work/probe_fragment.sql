CREATE OR REPLACE FUNCTION {{schema}}.probe_fragment(p_query text) RETURNS oid
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_fragment text := {{schema}}.fragment_text(p_query);
  v_is_closed boolean := {{schema}}.is_plainly_closed(v_fragment);
BEGIN
  RETURN ({{schema}}.run_fragment(v_fragment, v_is_closed, NULL, NULL)).result_type;
END
$$;
COMMENT ON FUNCTION {{schema}}.probe_fragment IS
  'The type that a fragment returns, found without running it. Raises PostgreSQL''s own error for '
  'a fragment that is not a SELECT of one column.';
REVOKE ALL ON FUNCTION {{schema}}.probe_fragment FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.probe_fragment TO {{cron_role}}, {{client_role}};
