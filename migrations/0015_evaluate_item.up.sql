-- A fragment is untrusted SQL. It is evaluated read-only, with the rights of
-- whoever runs the processor, in a subtransaction that is always rolled back:
-- only the variables that hold its keys survive.

--! routine is_plainly_closed
CREATE OR REPLACE FUNCTION {{schema}}.is_plainly_closed(p_fragment text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_parentheses text;
BEGIN
  -- In a text without comments, dollar quotes and backslashes, a quotation ends at the next quote
  -- of its kind.
  IF p_fragment ~ '[$\\]|--|/\*' THEN
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
$$;
COMMENT ON FUNCTION {{schema}}.is_plainly_closed IS
  'Whether a glance is enough to see that a text can neither contain a second statement nor close '
  'a parenthesis that it has not opened.';
REVOKE ALL ON FUNCTION {{schema}}.is_plainly_closed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.is_plainly_closed TO {{cron_role}}, {{client_role}};
--! end

--! routine require_closed
-- The tables that the text names are in the clients' schema; nothing else is looked up here.
CREATE OR REPLACE FUNCTION {{schema}}.require_closed(p_fragment text) RETURNS void
LANGUAGE plpgsql
SET search_path = {{client_schema}}, pg_temp
AS $$
DECLARE
  v_cursor refcursor;
BEGIN
  IF NOT {{schema}}.is_plainly_closed(p_fragment) THEN
    -- A cursor takes exactly one whole statement that returns rows. Opening it parses and
    -- plans the statement, but runs nothing.
    OPEN v_cursor FOR EXECUTE p_fragment;
    CLOSE v_cursor;
  END IF;
END
$$;
COMMENT ON FUNCTION {{schema}}.require_closed IS
  'Raises PostgreSQL''s own error unless the text is by itself one statement that returns rows, '
  'so that it cannot break out of parentheses around it.';
REVOKE ALL ON FUNCTION {{schema}}.require_closed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.require_closed TO {{cron_role}}, {{client_role}};
--! end

--! routine fragment_text
CREATE OR REPLACE FUNCTION {{schema}}.fragment_text(p_query text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- The line break ends a trailing comment; a trailing semicolon is a habit, no second statement.
  RETURN rtrim(p_query, E'; \t\n\r\f\v') || E'\n';
END
$$;
COMMENT ON FUNCTION {{schema}}.fragment_text IS
  'A fragment in the form that is put between parentheses.';
REVOKE ALL ON FUNCTION {{schema}}.fragment_text FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.fragment_text TO {{cron_role}}, {{client_role}};
--! end

--! routine probe_fragment
CREATE OR REPLACE FUNCTION {{schema}}.probe_fragment(p_query text) RETURNS oid
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_fragment text := {{schema}}.fragment_text(p_query);
  -- LIMIT 0 runs nothing. A scalar subquery must have exactly one column.
  v_query text := format(
    'SELECT pg_catalog.pg_typeof((SELECT * FROM (%s) AS fragment LIMIT 0))', v_fragment);
  v_type oid;
  v_probed boolean := false;
BEGIN
  BEGIN
    PERFORM set_config('transaction_read_only', 'on', true),
            set_config('search_path', quote_ident({{client_schema:literal}}) || ', pg_temp', true);
    PERFORM {{schema}}.require_closed(v_fragment);
    EXECUTE v_query INTO v_type;
    v_probed := true;
    RAISE EXCEPTION USING ERRCODE = 'PCEVL', MESSAGE = 'probed';
  EXCEPTION
    WHEN SQLSTATE 'PCEVL' THEN
      IF NOT v_probed THEN
        RAISE;
      END IF;
  END;
  RETURN v_type;
END
$$;
COMMENT ON FUNCTION {{schema}}.probe_fragment IS
  'The type that a fragment returns, found without running it. Raises PostgreSQL''s own error for '
  'a fragment that is not a SELECT of one column.';
REVOKE ALL ON FUNCTION {{schema}}.probe_fragment FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.probe_fragment TO {{cron_role}}, {{client_role}};
--! end

--! routine fit_to_datatype
CREATE OR REPLACE FUNCTION {{schema}}.fit_to_datatype(p_result {{schema}}.item_result)
RETURNS {{schema}}.item_result
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_result {{schema}}.item_result := p_result;
  v_dimensions integer := coalesce(
    array_ndims(p_result.bigint_keys), array_ndims(p_result.numeric_keys),
    array_ndims(p_result.text_keys), array_ndims(p_result.timestamp_keys));
BEGIN
  IF v_dimensions > 1 THEN
    RAISE EXCEPTION 'the fragment returns arrays, not keys' USING ERRCODE = 'datatype_mismatch';
  END IF;
  IF p_result.rows_found IS NULL THEN
    RAISE EXCEPTION
      'a key falls into an hour that time zone % has twice, and would be taken for another one',
      current_setting('TimeZone')
      USING ERRCODE = 'datatype_mismatch';
  END IF;
  PERFORM {{schema}}.require_datatype(
    (SELECT typelem FROM pg_type WHERE oid = p_result.result_type), (p_result.item).datatype);
  -- A cast may have made keys equal, or changed their order, as from character(3) or uuid to text.
  CASE (p_result.item).datatype
    WHEN 'float' THEN
      v_result.numeric_keys := ARRAY(
        SELECT DISTINCT key FROM unnest(p_result.numeric_keys) AS key ORDER BY key);
      v_result.rows_found := cardinality(v_result.numeric_keys);
    WHEN 'text' THEN
      v_result.text_keys := ARRAY(
        SELECT DISTINCT key FROM unnest(p_result.text_keys) AS key ORDER BY key);
      v_result.rows_found := cardinality(v_result.text_keys);
    WHEN 'timestamp' THEN
      v_result.timestamp_keys := ARRAY(
        SELECT DISTINCT key FROM unnest(p_result.timestamp_keys) AS key ORDER BY key);
      v_result.rows_found := cardinality(v_result.timestamp_keys);
    ELSE
      NULL;
  END CASE;
  RETURN v_result;
EXCEPTION
  WHEN datatype_mismatch THEN
    v_result.outcome := 'failed';
    v_result.error := '42804: ' || SQLERRM;
    v_result.rows_found := NULL;
    RETURN v_result;
END
$$;
COMMENT ON FUNCTION {{schema}}.fit_to_datatype IS
  'The result of a fragment that is empty, or whose type is not one of its partition''s own: '
  'failed when the partition cannot keep it without loss, else with keys that are distinct and '
  'ascending in the type in which they are kept.';
REVOKE ALL ON FUNCTION {{schema}}.fit_to_datatype FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.fit_to_datatype TO {{cron_role}}, {{client_role}};
--! end

--! routine datatype_for
CREATE OR REPLACE FUNCTION {{schema}}.datatype_for(p_item {{schema}}.batch_item) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_type oid;
  v_datatype text;
BEGIN
  IF (SELECT cache_backend FROM {{schema}}.deployment) <> 'array' THEN
    -- The positions of bits are numbers, so no other keys fit.
    RETURN 'integer';
  END IF;
  v_type := {{schema}}.probe_fragment(p_item.query);
  v_datatype := coalesce(p_item.queue_datatype, {{schema}}.datatype_of_result(v_type));
  PERFORM {{schema}}.require_datatype(v_type, v_datatype);
  RETURN v_datatype;
END
$$;
COMMENT ON FUNCTION {{schema}}.datatype_for IS
  'The datatype of the new partition that a fragment belongs to: the one that the client gave, '
  'else the one that the fragment returns. Raises 42804 when the two are incompatible.';
REVOKE ALL ON FUNCTION {{schema}}.datatype_for FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.datatype_for TO {{cron_role}}, {{client_role}};
--! end

--! routine reason_of_failure
CREATE OR REPLACE FUNCTION {{schema}}.reason_of_failure(
  p_item {{schema}}.batch_item, p_state text, p_message text
) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_state text := p_state;
  v_message text := p_message;
BEGIN
  -- A cast or syntax error may come from a fragment that returns
  -- another type or two columns. If so, say that.
  IF p_item.datatype IS NOT NULL
     AND p_state IN ('22P02', '22007', '22008', '22003', '42846', '42601') THEN
    BEGIN
      PERFORM {{schema}}.require_datatype({{schema}}.probe_fragment(p_item.query), p_item.datatype);
    EXCEPTION
      WHEN datatype_mismatch OR syntax_error THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
      WHEN OTHERS OR assert_failure THEN
        -- The probe raised the same error, or a worse one. The first error
        -- is the fragment's own, so keep it.
        NULL;
    END;
  END IF;
  RETURN format('%s: %s', v_state, v_message);
END
$$;
COMMENT ON FUNCTION {{schema}}.reason_of_failure IS
  'The SQLSTATE and message, for the log, of an error that a fragment raised.';
REVOKE ALL ON FUNCTION {{schema}}.reason_of_failure FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.reason_of_failure TO {{cron_role}}, {{client_role}};
--! end

--! routine evaluate_item
-- Called for each fragment, where a fifth of a millisecond is much: so it calls other functions
-- only for what is not plain.
CREATE OR REPLACE FUNCTION {{schema}}.evaluate_item(
  p_item {{schema}}.batch_item, p_result_limit integer
) RETURNS {{schema}}.item_result
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_result {{schema}}.item_result;
  v_item {{schema}}.batch_item := p_item;
  v_fragment text := rtrim(p_item.query, E'; \t\n\r\f\v') || E'\n'; -- as fragment_text()
  v_query text;
  v_settings text;
  v_fits boolean;
  v_evaluated boolean := false;
  v_state text;
  v_message text;
BEGIN
  v_result.started_at := clock_timestamp();
  BEGIN
    IF v_item.datatype IS NULL THEN
      v_item.datatype := {{schema}}.datatype_for(p_item);
    END IF;
    -- One key more than allowed is enough to know that there are too many.
    v_query := format(
      'SELECT pg_catalog.pg_typeof(keys), %1$s FROM ('
      'SELECT ARRAY(SELECT DISTINCT fragment.* FROM (%2$s) AS fragment (key) '
      'WHERE key IS NOT NULL ORDER BY key LIMIT %3$s) '
      'AS keys OFFSET 0) AS found',
      CASE v_item.datatype
        WHEN 'integer' THEN 'keys::bigint[]'
        ELSE {{schema}}.collected_as(v_item.datatype)
      END,
      v_fragment, coalesce((p_result_limit::bigint + 1)::text, 'ALL'));
    -- The second setting makes the tables of the fragment those of the clients' schema. Whoever may
    -- create something there could put a function in the place of one of pg_catalog that takes any
    -- array: so the code below calls only what is named with its schema, or takes text alone.
    v_settings := set_config('transaction_read_only', 'on', true)
      || set_config('search_path', quote_ident({{client_schema:literal}}) || ', pg_temp', true);
    -- Without a semicolon there is no second statement, without a parenthesis none to close.
    IF v_fragment ~ '[;()]' THEN
      PERFORM {{schema}}.require_closed(v_fragment);
    END IF;
    CASE v_item.datatype
      WHEN 'integer' THEN EXECUTE v_query INTO v_result.result_type, v_result.bigint_keys;
      WHEN 'float' THEN EXECUTE v_query INTO v_result.result_type, v_result.numeric_keys;
      WHEN 'text' THEN EXECUTE v_query INTO v_result.result_type, v_result.text_keys;
      WHEN 'timestamp' THEN EXECUTE v_query INTO v_result.result_type, v_result.timestamp_keys;
    END CASE;
    v_evaluated := true;
    RAISE EXCEPTION USING ERRCODE = 'PCEVL', MESSAGE = 'evaluated';
  EXCEPTION
    WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN
      GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
      v_result.outcome := 'put_back';
      v_result.error := format('%s: %s', v_state, v_message);
    WHEN OTHERS OR assert_failure THEN
      -- The fragment itself may call something that raises our code: then nothing was evaluated.
      IF NOT v_evaluated THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
        v_result.outcome := 'failed';
        v_result.error := {{schema}}.reason_of_failure(v_item, v_state, v_message);
      END IF;
  END;
  v_result.item := v_item;
  v_result.ended_at := clock_timestamp();
  IF v_evaluated THEN
    -- The array types, by their oid, that need no second look: their elements are kept as they are.
    CASE v_item.datatype
      WHEN 'integer' THEN
        v_result.rows_found := cardinality(v_result.bigint_keys);
        v_fits := v_result.result_type IN (1005, 1007, 1016) -- smallint, integer, bigint
          AND array_ndims(v_result.bigint_keys) = 1;
      WHEN 'float' THEN
        v_result.rows_found := cardinality(v_result.numeric_keys);
        v_fits := v_result.result_type = 1231 -- numeric
          AND array_ndims(v_result.numeric_keys) = 1;
      WHEN 'text' THEN
        v_result.rows_found := cardinality(v_result.text_keys);
        v_fits := v_result.result_type IN (1009, 1015) -- text, character varying
          AND array_ndims(v_result.text_keys) = 1;
      WHEN 'timestamp' THEN
        v_result.rows_found := cardinality(v_result.timestamp_keys);
        v_fits := v_result.result_type = 1115 -- timestamp without time zone
          AND array_ndims(v_result.timestamp_keys) = 1;
    END CASE;
    v_result.outcome := 'ok';
    IF v_fits IS NOT TRUE THEN
      v_result := {{schema}}.fit_to_datatype(v_result);
    END IF;
    IF v_result.rows_found > p_result_limit THEN
      v_result.outcome := 'limit';
    END IF;
  END IF;
  RETURN v_result;
END
$$;
COMMENT ON FUNCTION {{schema}}.evaluate_item IS
  'Runs one fragment (a single SELECT of one column) read-only. outcome of the result: ok, limit '
  '(one key more than p_result_limit), failed, or put_back (a conflict with others); its item has '
  'the partition''s datatype. Nothing else of the fragment survives. Raises query_canceled only.';
REVOKE ALL ON FUNCTION {{schema}}.evaluate_item FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.evaluate_item TO {{cron_role}}, {{client_role}};
--! end
