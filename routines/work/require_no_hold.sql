CREATE OR REPLACE FUNCTION {{schema}}.require_no_hold() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_hold record;
BEGIN
  SELECT * INTO v_hold FROM {{schema}}.holds_1 ORDER BY since LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'processing is held by "%" since % (role %): %',
      v_hold.holder, date_trunc('second', v_hold.since), v_hold.held_by, v_hold.reason
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = CASE v_hold.holder
              WHEN 'pause' THEN 'pcache-migrate resume ends it.'
              ELSE format('It ends with pcache-migrate %s.', v_hold.holder) END;
  END IF;
END
$$;
COMMENT ON FUNCTION {{schema}}.require_no_hold IS
  'For runs by hand: raises 55000 while processing is held (holds_1), with who holds it and why.';
REVOKE ALL ON FUNCTION {{schema}}.require_no_hold FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.require_no_hold TO {{cron_role}}, {{client_role}};
