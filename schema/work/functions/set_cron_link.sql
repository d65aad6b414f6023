CREATE FUNCTION partitioncache.set_cron_link(p_host text, p_port integer, p_database text, p_user text, p_password text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_server text := "partitioncache".cron_link_name();
  v_state text;
  v_message text;
  v_hint text;
BEGIN
  PERFORM "partitioncache".drop_cron_link();
  EXECUTE format(
    'CREATE SERVER %I FOREIGN DATA WRAPPER dblink_fdw OPTIONS (host %L, port %L, dbname %L)',
    v_server, p_host, coalesce(p_port, current_setting('port')::integer)::text, p_database);
  EXECUTE format(
    'CREATE USER MAPPING FOR CURRENT_USER SERVER %I OPTIONS (user %L, password %L)',
    v_server, p_user, p_password);
EXCEPTION
  WHEN OTHERS THEN
    -- Raise a new error, because the context of the original quotes
    -- the statement and thus the password.
    GET STACKED DIAGNOSTICS
      v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT, v_hint = PG_EXCEPTION_HINT;
    RAISE EXCEPTION 'the link % to the pg_cron database could not be created: %',
      v_server, v_message
      USING ERRCODE = v_state, HINT = v_hint;
END
$$;

COMMENT ON FUNCTION partitioncache.set_cron_link(p_host text, p_port integer, p_database text, p_user text, p_password text) IS 'Creates or replaces the link to the pg_cron database. p_port NULL means this server''s own port. Needs USAGE on the foreign data wrapper dblink_fdw.';

REVOKE ALL ON FUNCTION partitioncache.set_cron_link(p_host text, p_port integer, p_database text, p_user text, p_password text) FROM PUBLIC;
