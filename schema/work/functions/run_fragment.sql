CREATE FUNCTION partitioncache.run_fragment(p_fragment text, p_is_closed boolean, p_datatype text, p_limit bigint, OUT result_type oid, OUT bigint_keys bigint[], OUT numeric_keys numeric[], OUT text_keys text[], OUT timestamp_keys timestamp without time zone[]) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $_$
DECLARE
  v_collected text;
  v_query text;
  v_cursor refcursor;
  v_done boolean := false;
BEGIN
  -- Undone in any case, so that whoever calls this leaves nothing behind as its owner.
  BEGIN
    PERFORM pg_catalog.set_config('transaction_read_only', 'on', true);
    IF NOT p_is_closed THEN
      -- A cursor takes exactly one whole statement that returns rows. Opening it parses and plans
      -- the statement, but runs nothing.
      OPEN v_cursor FOR EXECUTE p_fragment;
      CLOSE v_cursor;
    END IF;
    IF p_datatype IS NULL THEN
      -- LIMIT 0 runs nothing. A scalar subquery must have exactly one column.
      EXECUTE pg_catalog.format(
        'SELECT pg_catalog.pg_typeof((SELECT * FROM (%s) AS fragment LIMIT 0))', p_fragment)
        INTO result_type;
    ELSE
      -- Of the widest type, so that nothing is lost before the keys are stored.
      v_collected := CASE p_datatype
        WHEN 'integer' THEN 'keys::bigint[]'
        -- A cast from double precision keeps 15 digits, its text keeps all of them. Clients compare
        -- real as double precision.
        WHEN 'float' THEN
          'CASE WHEN pg_catalog.pg_typeof(keys) OPERATOR(pg_catalog.=) '
          'ANY (''{real[],double precision[]}''::pg_catalog.regtype[]) '
          'THEN keys::double precision[]::pg_catalog.text[]::numeric[] ELSE keys::numeric[] END'
        WHEN 'text' THEN 'keys::pg_catalog.text[]'
        -- A local time in the hour that is repeated when summer time ends stands for two instants:
        -- NULL says that the keys have one of them.
        WHEN 'timestamp' THEN
          'CASE WHEN pg_catalog.pg_typeof(keys) OPERATOR(pg_catalog.<>) '
          '''timestamp with time zone[]''::pg_catalog.regtype '
          'OR keys::timestamp[]::timestamp with time zone[] '
          'OPERATOR(pg_catalog.=) keys::timestamp with time zone[] '
          'THEN keys::timestamp[] END'
      END;
      v_query := pg_catalog.format(
        'SELECT pg_catalog.pg_typeof(keys), %1$s FROM ('
        'SELECT ARRAY(SELECT DISTINCT fragment.* FROM (%2$s) AS fragment (key) '
        'WHERE key IS NOT NULL ORDER BY key LIMIT %3$s) '
        'AS keys OFFSET 0) AS found',
        v_collected, p_fragment, coalesce(p_limit::text, 'ALL'));
      CASE p_datatype
        WHEN 'integer' THEN EXECUTE v_query INTO result_type, bigint_keys;
        WHEN 'float' THEN EXECUTE v_query INTO result_type, numeric_keys;
        WHEN 'text' THEN EXECUTE v_query INTO result_type, text_keys;
        WHEN 'timestamp' THEN EXECUTE v_query INTO result_type, timestamp_keys;
      END CASE;
    END IF;
    v_done := true;
    RAISE EXCEPTION USING ERRCODE = 'PCEVL', MESSAGE = 'evaluated';
  EXCEPTION
    WHEN SQLSTATE 'PCEVL' THEN
      IF NOT v_done THEN
        RAISE;
      END IF;
  END;
END
$_$;

COMMENT ON FUNCTION partitioncache.run_fragment(p_fragment text, p_is_closed boolean, p_datatype text, p_limit bigint, OUT result_type oid, OUT bigint_keys bigint[], OUT numeric_keys numeric[], OUT text_keys text[], OUT timestamp_keys timestamp without time zone[]) IS 'Runs a fragment (as fragment_text() writes it) in a read-only subtransaction that is rolled back, and returns the type of the array of its keys and the keys, distinct and ascending, p_limit at most (NULL: all). p_is_closed: whether it is known to be one statement; if not, that is checked first. p_datatype: of the partition, which says in which of the arrays the keys are; NULL: nothing is run, and result_type is the type of the fragment''s column. Raises whatever the fragment raises.';

REVOKE ALL ON FUNCTION partitioncache.run_fragment(p_fragment text, p_is_closed boolean, p_datatype text, p_limit bigint, OUT result_type oid, OUT bigint_keys bigint[], OUT numeric_keys numeric[], OUT text_keys text[], OUT timestamp_keys timestamp without time zone[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.run_fragment(p_fragment text, p_is_closed boolean, p_datatype text, p_limit bigint, OUT result_type oid, OUT bigint_keys bigint[], OUT numeric_keys numeric[], OUT text_keys text[], OUT timestamp_keys timestamp without time zone[]) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.run_fragment(p_fragment text, p_is_closed boolean, p_datatype text, p_limit bigint, OUT result_type oid, OUT bigint_keys bigint[], OUT numeric_keys numeric[], OUT text_keys text[], OUT timestamp_keys timestamp without time zone[]) TO client_role;
