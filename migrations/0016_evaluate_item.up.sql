-- A fragment is untrusted SQL. It is evaluated read-only, with the rights of the
-- fragment role, in a subtransaction that is always rolled back: only the variables
-- that hold its keys survive.

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
$$;
COMMENT ON FUNCTION {{schema}}.is_plainly_closed IS
  'Whether a glance is enough to see that a text can neither contain a second statement nor close '
  'a parenthesis that it has not opened.';
REVOKE ALL ON FUNCTION {{schema}}.is_plainly_closed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.is_plainly_closed TO {{cron_role}}, {{client_role}};
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

--! routine set_fragment_role
CREATE OR REPLACE FUNCTION {{schema}}.set_fragment_role(p_role text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  c_schema CONSTANT name := {{schema:literal}};
  v_migrator CONSTANT name := (
    SELECT pg_get_userbyid(relowner)
    FROM pg_class
    WHERE relname = 'deployment' AND relnamespace = quote_ident(c_schema)::regnamespace);
BEGIN
  IF p_role IS NULL THEN
    -- First of all it must stop to be SECURITY DEFINER: never let fragments have our rights.
    ALTER FUNCTION {{schema}}.run_fragment SECURITY INVOKER;
    EXECUTE format('ALTER FUNCTION %I.run_fragment OWNER TO %I', c_schema, v_migrator);
  ELSE
    IF EXISTS (
      SELECT FROM pg_roles
      WHERE rolname = p_role
        AND (rolsuper OR rolcanlogin OR rolname = v_migrator
             OR EXISTS (SELECT FROM {{schema}}.deployment
                        WHERE p_role IN (cron_role, client_role))))
    THEN
      RAISE EXCEPTION 'role "%" cannot be the fragment role', p_role
        USING ERRCODE = 'invalid_parameter_value',
              HINT = 'It must be a role of its own, without LOGIN and SUPERUSER.';
    END IF;
    -- A function's owner needs CREATE on its schema, at the moment when he becomes that.
    EXECUTE format('GRANT CREATE ON SCHEMA %I TO %I', c_schema, p_role);
    EXECUTE format('ALTER FUNCTION %I.run_fragment OWNER TO %I', c_schema, p_role);
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM %I', c_schema, p_role);
    ALTER FUNCTION {{schema}}.run_fragment SECURITY DEFINER;
  END IF;
  UPDATE {{schema}}.deployment SET fragment_role = p_role
  WHERE fragment_role IS DISTINCT FROM p_role;
END
$$;
COMMENT ON FUNCTION {{schema}}.set_fragment_role IS
  'From the next fragment on, fragments have the rights of role p_role; with NULL, those of '
  'whoever runs the processor. The caller must own this schema and be a member of p_role. '
  'Raises 22023 for a role that may log in, is a superuser or has another part in the deployment, '
  '42704 for an unknown one, 42501 for one that the caller is no member of.';
REVOKE ALL ON FUNCTION {{schema}}.set_fragment_role FROM PUBLIC;
--! end

--! routine run_fragment
-- The only routine that runs a fragment's SQL. set_fragment_role makes it SECURITY DEFINER and
-- gives it to the fragment role: then a fragment has the rights of that role, whoever runs the
-- processor, and PostgreSQL refuses it SET ROLE and signals to others' sessions. So this uses
-- nothing of our schema, where that role has no rights.
--
-- Whoever may create something in the clients' schema could put a function in the place of one of
-- pg_catalog that takes any array: so the code below calls only what is named with its schema, or
-- takes text alone.
CREATE OR REPLACE FUNCTION {{schema}}.run_fragment(
  p_fragment text,
  p_is_closed boolean,
  p_datatype text,
  p_limit bigint,
  OUT result_type oid,
  OUT bigint_keys bigint[],
  OUT numeric_keys numeric[],
  OUT text_keys text[],
  OUT timestamp_keys timestamp[]
)
LANGUAGE plpgsql
SET search_path = {{client_schema}}, pg_temp
AS $$
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
$$;
COMMENT ON FUNCTION {{schema}}.run_fragment IS
  'Runs a fragment (as fragment_text() writes it) in a read-only subtransaction that is rolled '
  'back, and returns the type of the array of its keys and the keys, distinct and ascending, '
  'p_limit at most (NULL: all). p_is_closed: whether it is known to be one statement; if not, that '
  'is checked first. p_datatype: of the partition, which says in which of the arrays the keys are; '
  'NULL: nothing is run, and result_type is the type of the fragment''s column. Raises whatever '
  'the fragment raises.';
REVOKE ALL ON FUNCTION {{schema}}.run_fragment FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.run_fragment TO {{cron_role}}, {{client_role}};
-- To replace a function takes SECURITY DEFINER from it, and leaves it its owner.
SELECT {{schema}}.set_fragment_role((SELECT fragment_role FROM {{schema}}.deployment));
--! end

--! routine require_fragment_role
-- A dump that is restored without its owners, or REASSIGN OWNED, gives run_fragment to somebody
-- else, perhaps a superuser, and each fragment his rights with it.
CREATE OR REPLACE FUNCTION {{schema}}.require_fragment_role() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_role CONSTANT text := (SELECT fragment_role FROM {{schema}}.service);
  v_found text := (
    SELECT CASE WHEN prosecdef THEN pg_get_userbyid(proowner) END
    FROM pg_proc
    WHERE proname = 'run_fragment'
      AND pronamespace = quote_ident({{schema:literal}})::regnamespace);
BEGIN
  IF v_found IS DISTINCT FROM v_role THEN
    RAISE EXCEPTION 'fragments would run as %, not as %',
      coalesce(format('role "%s"', v_found), 'the caller'),
      coalesce(format('role "%s"', v_role), 'the caller')
      USING ERRCODE = 'invalid_authorization_specification',
            HINT = format(
              'Somebody has changed the function run_fragment, as a restore without owners does. '
              'As the migrator: SELECT %I.set_fragment_role(%L);', {{schema:literal}}, v_role);
  END IF;
END
$$;
COMMENT ON FUNCTION {{schema}}.require_fragment_role IS
  'Raises 28000 unless fragments have the rights of the fragment role that is recorded for this '
  'deployment, or of their caller where none is.';
REVOKE ALL ON FUNCTION {{schema}}.require_fragment_role FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.require_fragment_role TO {{cron_role}}, {{client_role}};
--! end

--! routine probe_fragment
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
  IF (SELECT cache_backend FROM {{schema}}.service) <> 'array' THEN
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
  v_is_closed boolean;
  v_found record;
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
    -- Without a semicolon there is no second statement, without a parenthesis none to close.
    v_is_closed := v_fragment !~ '[;()]' OR {{schema}}.is_plainly_closed(v_fragment);
    -- One key more than allowed is enough to know that there are too many.
    v_found := {{schema}}.run_fragment(
      v_fragment, v_is_closed, v_item.datatype, p_result_limit::bigint + 1);
    v_evaluated := true;
  EXCEPTION
    WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN
      GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
      v_result.outcome := 'put_back';
      v_result.error := format('%s: %s', v_state, v_message);
    WHEN OTHERS OR assert_failure THEN
      GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
      v_result.outcome := 'failed';
      v_result.error := {{schema}}.reason_of_failure(v_item, v_state, v_message);
  END;
  v_result.item := v_item;
  v_result.ended_at := clock_timestamp();
  IF v_evaluated THEN
    v_result.result_type := v_found.result_type;
    v_result.bigint_keys := v_found.bigint_keys;
    v_result.numeric_keys := v_found.numeric_keys;
    v_result.text_keys := v_found.text_keys;
    v_result.timestamp_keys := v_found.timestamp_keys;
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
