CREATE FUNCTION partitioncache.is_plainly_closed(p_fragment text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_parentheses text;
BEGIN
  -- In a text without comments, dollar quotes and backslashes, a quotation ends at the next quote
  -- of its kind.
  IF p_fragment ~ E'[$\\\\]|--|/[*]' THEN
    RETURN false;
  END IF;
  v_parentheses := regexp_replace(p_fragment, '''[^'']*''|"[^"]*"|[^();''"]+', '', 'g');
  -- Removing pairs from a long row over and over would take longer than asking PostgreSQL.
  IF length(v_parentheses) > 200 THEN
    RETURN false;
  END IF;
  WHILE strpos(v_parentheses, '()') > 0 LOOP
    v_parentheses := replace(v_parentheses, '()', '');
  END LOOP;
  -- No semicolon, no unclosed quote and no parenthesis is left.
  RETURN v_parentheses = '';
END
$_$;

COMMENT ON FUNCTION partitioncache.is_plainly_closed(p_fragment text) IS 'Whether a glance is enough to see that a text can neither contain a second statement nor close a parenthesis that it has not opened.';

REVOKE ALL ON FUNCTION partitioncache.is_plainly_closed(p_fragment text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.is_plainly_closed(p_fragment text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.is_plainly_closed(p_fragment text) TO client_role;
