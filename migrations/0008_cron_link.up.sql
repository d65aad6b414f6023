-- Transport link: reaches the pg_cron database from this one over dblink, with the cron role's
-- credentials in a user mapping that only the migrator (and superusers) can read.

--! routine cron_link_name
CREATE OR REPLACE FUNCTION {{schema}}.cron_link_name() RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- The names of foreign servers are unique in a database; the schema in the name keeps those of
  -- two deployments apart.
  SELECT {{schema:literal}} || '_cron'
$$;
COMMENT ON FUNCTION {{schema}}.cron_link_name IS
  'Name of the foreign server that leads to the pg_cron database.';
REVOKE ALL ON FUNCTION {{schema}}.cron_link_name FROM PUBLIC;
--! end

--! routine drop_cron_link
CREATE OR REPLACE FUNCTION {{schema}}.drop_cron_link() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format('DROP SERVER IF EXISTS %I CASCADE', {{schema}}.cron_link_name());
END
$$;
COMMENT ON FUNCTION {{schema}}.drop_cron_link IS
  'Drops the foreign server to the pg_cron database and its user mapping.';
REVOKE ALL ON FUNCTION {{schema}}.drop_cron_link FROM PUBLIC;
--! end

--! routine set_cron_link
-- The password is a parameter and is put into the statement here, so that it appears in neither
-- pg_stat_activity nor pg_stat_statements nor a log of DDL statements.
CREATE OR REPLACE FUNCTION {{schema}}.set_cron_link(
  p_host text, p_port integer, p_database text, p_user text, p_password text
)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_server text := {{schema}}.cron_link_name();
  v_state text;
  v_message text;
  v_hint text;
BEGIN
  PERFORM {{schema}}.drop_cron_link();
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
COMMENT ON FUNCTION {{schema}}.set_cron_link IS
  'Creates or replaces the link to the pg_cron database. p_port NULL means this server''s own '
  'port. Needs USAGE on the foreign data wrapper dblink_fdw.';
REVOKE ALL ON FUNCTION {{schema}}.set_cron_link FROM PUBLIC;
--! end

--! routine query_cron_link
CREATE OR REPLACE FUNCTION {{schema}}.query_cron_link(p_query text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_connection constant text := 'pcache_migrate_cron_link';
  v_dblink text := (
    SELECT nspname
    FROM pg_extension
    JOIN pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname = 'dblink');
  v_open boolean := false;
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
  EXECUTE format('SELECT %I.dblink_connect($1, $2)', v_dblink)
    USING v_connection, {{schema}}.cron_link_name();
  v_open := true;
  EXECUTE format('SELECT result FROM %I.dblink($1, $2) AS answer (result jsonb)', v_dblink)
    INTO v_result USING v_connection, p_query;
  EXECUTE format('SELECT %I.dblink_disconnect($1)', v_dblink) USING v_connection;
  RETURN v_result;
EXCEPTION
  WHEN OTHERS OR query_canceled THEN
    GET STACKED DIAGNOSTICS
      v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT, v_detail = PG_EXCEPTION_DETAIL;
    IF v_open THEN
      EXECUTE format('SELECT %I.dblink_disconnect($1)', v_dblink) USING v_connection;
    END IF;
    RAISE EXCEPTION 'the pg_cron database could not be reached or refused over the link %: %',
      {{schema}}.cron_link_name(), concat_ws(': ', v_message, nullif(v_detail, ''))
      USING ERRCODE = v_state,
            HINT = 'Run pcache-migrate doctor: it says what is missing. '
                   'Nothing of this transaction was kept.';
END
$$;
COMMENT ON FUNCTION {{schema}}.query_cron_link IS
  'Runs one query in the pg_cron database over the link and returns its single jsonb value. '
  'Raises what the far side raised. Closes the connection in every case.';
REVOKE ALL ON FUNCTION {{schema}}.query_cron_link FROM PUBLIC;
--! end

--! routine check_cron_link
CREATE OR REPLACE FUNCTION {{schema}}.check_cron_link() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM {{schema}}.query_cron_link(
    format('SELECT to_jsonb(work_database) FROM %I.deployment', {{cron_schema:literal}}));
END
$$;
COMMENT ON FUNCTION {{schema}}.check_cron_link IS
  'Raises unless the link to the pg_cron database works.';
REVOKE ALL ON FUNCTION {{schema}}.check_cron_link FROM PUBLIC;
--! end
