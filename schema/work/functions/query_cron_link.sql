CREATE FUNCTION partitioncache.query_cron_link(p_query text) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_dblink text := (
    SELECT nspname
    FROM pg_extension
    JOIN pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname = 'dblink');
  v_far_side constant text := (
    SELECT format('database "%s" on %s:%s as role "%s"',
                  database, host, coalesce(port, current_setting('port')), role)
    FROM "partitioncache".cron_link);
  -- A restored server may have a link that leads to the one it was copied from.
  v_query constant text := format(
    'SELECT CASE extract(epoch FROM pg_catalog.pg_postmaster_start_time())::text '
    'WHEN %L THEN (%s) END',
    extract(epoch FROM pg_postmaster_start_time())::text, p_query);
  v_result jsonb;
  v_state text;
  v_message text;
  v_detail text;
BEGIN
  IF v_dblink IS NULL THEN
    RAISE EXCEPTION 'the extension dblink is missing in database %', current_database()
      USING ERRCODE = 'undefined_object',
            HINT = 'Have an administrator run there: CREATE EXTENSION dblink;';
  END IF;
  IF v_far_side IS NULL THEN
    RAISE EXCEPTION 'no link is set up; run pcache-migrate up'
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  -- In one call, which closes its connection whatever ends it. One with a name would stay in the
  -- session of whoever changes the configuration, for him to use, if he were cancelled in time.
  EXECUTE format(
    'SELECT result FROM %I.dblink(%I.cron_link_connection(), $1) AS answer (result jsonb)',
    v_dblink, 'partitioncache')
    INTO v_result USING v_query;
  IF v_result IS NULL THEN
    RAISE EXCEPTION 'it leads to another server, whose jobs are not touched from here'
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  RETURN v_result;
EXCEPTION
  WHEN OTHERS OR query_canceled THEN
    GET STACKED DIAGNOSTICS
      v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT, v_detail = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION 'the pg_cron database could not be reached or refused over the link%: %',
      concat(' to ' || v_far_side), concat_ws(': ', v_message, nullif(v_detail, ''))
      USING ERRCODE = v_state,
            HINT = concat_ws(
              ' ',
              -- The far side says it in its own language.
              CASE v_state WHEN '08001' THEN "partitioncache".cron_link_limits() END,
              'Run pcache-migrate doctor: it says what is missing.',
              'Nothing of this transaction was kept.');
END
$_$;

COMMENT ON FUNCTION partitioncache.query_cron_link(p_query text) IS 'Runs one query in the pg_cron database over the link and returns its single jsonb value, which is not NULL. Raises what the far side raised, and where that is another server. Closes the connection in every case.';

REVOKE ALL ON FUNCTION partitioncache.query_cron_link(p_query text) FROM PUBLIC;
