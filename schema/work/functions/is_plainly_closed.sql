CREATE FUNCTION partitioncache.is_plainly_closed(p_fragment text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_parentheses text;
BEGIN
  -- Without comments, dollar quotes and backslashes, a quotation ends at the next quote of its kind.
  IF p_fragment ~ '[$\\]|--|/\*' THEN
    RETURN false;
  END IF;
  v_parentheses := regexp_replace(p_fragment, '''[^'']*''|"[^"]*"|[^();''"]+', '', 'g');
  -- To take pairs out of a long row of them again and again would take longer than to ask PostgreSQL.
  IF length(v_parentheses) > 200 THEN
    RETURN false;
  END IF;
  WHILE strpos(v_parentheses, '()') > 0 LOOP
    v_parentheses := replace(v_parentheses, '()', '');
  END LOOP;
  -- Neither a semicolon, nor a quote that is not closed, nor a parenthesis.
  RETURN v_parentheses = '';
END
$_$;

COMMENT ON FUNCTION partitioncache.is_plainly_closed(p_fragment text) IS 'Whether a glance is enough to see that a text can neither hold a second statement nor close a parenthesis it has not opened.';

REVOKE ALL ON FUNCTION partitioncache.is_plainly_closed(p_fragment text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.is_plainly_closed(p_fragment text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.is_plainly_closed(p_fragment text) TO client_role;
