CREATE OR REPLACE FUNCTION {{schema}}.first_bytes(p_text text, p_bytes integer) RETURNS text
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- Not by octet_length and left: a database may have another encoding than pg_cron's, or none.
  v_bytes bytea := convert_to(p_text, 'UTF8');
  v_end integer := p_bytes;
BEGIN
  IF octet_length(v_bytes) <= p_bytes THEN
    RETURN p_text;
  END IF;
  -- The byte behind the cut begins with 10: it belongs to the character before it.
  WHILE get_byte(v_bytes, v_end) & 192 = 128 LOOP
    v_end := v_end - 1;
  END LOOP;
  RETURN convert_from(substr(v_bytes, 1, v_end), 'UTF8');
END
$$;
COMMENT ON FUNCTION {{schema}}.first_bytes IS
  'As much of p_text as fits p_bytes bytes of UTF-8, in whole characters.';
REVOKE ALL ON FUNCTION {{schema}}.first_bytes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.first_bytes TO {{cron_role}};
