-- A fragment is untrusted SQL. It is evaluated with the rights of whoever runs the processor, read-only, in a
-- subtransaction that is always rolled back: only the variable that holds its keys survives.

CREATE TYPE {{schema}}.key_set AS (
  element_type   text,
  integer_keys   integer[],
  bigint_keys    bigint[],
  numeric_keys   numeric[],
  text_keys      text[],
  timestamp_keys timestamp[]
);
COMMENT ON TYPE {{schema}}.key_set IS
  'The distinct, non-NULL keys of a fragment in ascending order, in the array of their element type.';

CREATE FUNCTION {{schema}}.element_type(p_result_type regtype, p_datatype text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_element text := CASE p_result_type
    WHEN 'smallint'::regtype THEN 'integer'
    WHEN 'integer'::regtype THEN 'integer'
    WHEN 'bigint'::regtype THEN 'bigint'
    WHEN 'numeric'::regtype THEN 'numeric'
    WHEN 'real'::regtype THEN 'numeric'
    WHEN 'double precision'::regtype THEN 'numeric'
    WHEN 'text'::regtype THEN 'text'
    WHEN 'character varying'::regtype THEN 'text'
    WHEN 'character'::regtype THEN 'text'
    WHEN 'name'::regtype THEN 'text'
    WHEN 'uuid'::regtype THEN 'text'
    WHEN 'date'::regtype THEN 'timestamp'
    WHEN 'timestamp without time zone'::regtype THEN 'timestamp'
    WHEN 'timestamp with time zone'::regtype THEN 'timestamp'
  END;
  v_datatype text := {{schema}}.datatype_of(v_element);
BEGIN
  -- Whole numbers fit a numeric set exactly; anything else that does not match would be rounded or rewritten.
  IF p_datatype = 'float' AND v_datatype = 'integer' THEN
    RETURN 'numeric';
  END IF;
  IF v_element IS NULL OR v_datatype <> p_datatype THEN
    RAISE EXCEPTION 'the fragment returns %, but the partition key holds %', p_result_type, coalesce(p_datatype, 'no such type')
      USING ERRCODE = 'datatype_mismatch',
            HINT = 'Partition keys are integer, float, text or timestamp; cast the column in the fragment.';
  END IF;
  RETURN v_element;
END
$$;
COMMENT ON FUNCTION {{schema}}.element_type(regtype, text) IS
  'Element type in which the keys of a fragment with this result type are kept; p_datatype is the partition key''s, NULL when not known yet. '
  'Raises 42804 when they do not go together without loss.';

CREATE FUNCTION {{schema}}.datatype_of(p_element_type text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE p_element_type WHEN 'bigint' THEN 'integer' WHEN 'numeric' THEN 'float' ELSE p_element_type END
$$;
COMMENT ON FUNCTION {{schema}}.datatype_of(text) IS 'The clients'' datatype (integer, float, text, timestamp) of an element type.';

-- The fragment's tables are looked up in the clients' schema; pg_catalog comes first without being named.
CREATE FUNCTION {{schema}}.evaluate_fragment(p_query text, p_datatype text, p_result_limit integer)
RETURNS {{schema}}.key_set
LANGUAGE plpgsql
SET search_path = {{client_schema}}
AS $$
DECLARE
  -- The line break ends a trailing comment; trailing semicolons are a habit, not a second statement.
  v_fragment text := regexp_replace(p_query, '[;[:space:]]+$', '') || E'\n';
  v_type regtype;
  v_keys {{schema}}.key_set;
  v_evaluated boolean := false;
  -- A cursor takes exactly one statement, and only one that returns rows.
  v_cursor refcursor;
BEGIN
  BEGIN
    PERFORM set_config('transaction_read_only', 'on', true);

    -- LIMIT 0 runs nothing. As a scalar it must have exactly one column.
    OPEN v_cursor FOR EXECUTE format('SELECT pg_typeof((SELECT * FROM (%s) AS fragment LIMIT 0))', v_fragment);
    FETCH v_cursor INTO v_type;
    CLOSE v_cursor;
    v_keys.element_type := {{schema}}.element_type(v_type, p_datatype);

    -- One key more than allowed is enough to know that there are too many.
    OPEN v_cursor FOR EXECUTE format(
      'SELECT array_agg(key ORDER BY key) FROM ('
      'SELECT DISTINCT key::%s AS key FROM (%s) AS fragment (key) WHERE key IS NOT NULL LIMIT %s) AS keys',
      v_keys.element_type, v_fragment, coalesce((p_result_limit::bigint + 1)::text, 'ALL'));
    CASE v_keys.element_type
      WHEN 'integer' THEN FETCH v_cursor INTO v_keys.integer_keys;
      WHEN 'bigint' THEN FETCH v_cursor INTO v_keys.bigint_keys;
      WHEN 'numeric' THEN FETCH v_cursor INTO v_keys.numeric_keys;
      WHEN 'text' THEN FETCH v_cursor INTO v_keys.text_keys;
      WHEN 'timestamp' THEN FETCH v_cursor INTO v_keys.timestamp_keys;
    END CASE;
    v_evaluated := true;
    RAISE EXCEPTION USING ERRCODE = 'PCEVL', MESSAGE = 'evaluated';
  EXCEPTION
    WHEN SQLSTATE 'PCEVL' THEN
      -- The fragment itself may call something that raises our code: then nothing was evaluated.
      IF NOT v_evaluated THEN
        RAISE;
      END IF;
  END;
  RETURN v_keys;
END
$$;
COMMENT ON FUNCTION {{schema}}.evaluate_fragment(text, text, integer) IS
  'Runs one fragment (a single SELECT of one column) read-only and returns its keys: distinct, sorted, without NULL, '
  'one more than p_result_limit at most. Raises what the fragment raised; nothing else of it survives.';

REVOKE ALL ON FUNCTION {{schema}}.element_type(regtype, text), {{schema}}.datatype_of(text),
  {{schema}}.evaluate_fragment(text, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.element_type(regtype, text), {{schema}}.datatype_of(text),
  {{schema}}.evaluate_fragment(text, text, integer) TO {{cron_role}}, {{client_role}};
