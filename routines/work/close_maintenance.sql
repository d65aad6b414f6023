CREATE OR REPLACE FUNCTION {{schema}}.close_maintenance() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM pg_advisory_unlock_shared(
    (quote_ident({{schema:literal}}) || '.hold')::regclass::oid::integer, 1);
END
$$;
COMMENT ON FUNCTION {{schema}}.close_maintenance IS
  'Ends what open_maintenance shows.';
REVOKE ALL ON FUNCTION {{schema}}.close_maintenance FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.close_maintenance TO {{cron_role}};
