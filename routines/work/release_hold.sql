CREATE OR REPLACE FUNCTION {{schema}}.release_hold(p_holder text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  c_class CONSTANT integer := (quote_ident({{schema:literal}}) || '.hold')::regclass::oid::integer;
  v_pid integer;
  v_found boolean;
BEGIN
  DELETE FROM {{schema}}.hold WHERE holder = p_holder RETURNING pid INTO v_pid;
  v_found := FOUND;
  IF v_pid = pg_backend_pid() THEN
    PERFORM pg_advisory_unlock_shared(c_class, 0);
  END IF;
  RETURN v_found;
END
$$;
COMMENT ON FUNCTION {{schema}}.release_hold IS
  'Ends the hold of p_holder, and no other. Returns false where there was none.';
REVOKE ALL ON FUNCTION {{schema}}.release_hold FROM PUBLIC;
