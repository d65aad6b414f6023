-- Transport link: reaches the pg_cron database from this one over dblink, with the cron role's
-- credentials in a table that only the migrator (and superusers) can read.
--
-- Not with a foreign server and a user mapping: the options of one can only be given in the text
-- of a statement, and pg_stat_statements, the server's log and the context of an error show such
-- texts. A row arrives by COPY … FROM STDIN in binary, which none of them shows.

CREATE TABLE {{schema}}.cron_link (
  -- No constraint anywhere: the error of one that is broken quotes the row.
  host     text,
  port     text,
  database text,
  role     text,
  password text
);
COMMENT ON TABLE {{schema}}.cron_link IS
  'One row, if the transport is link: where this server finds the pg_cron database, and the cron '
  'role''s password. port NULL means this server''s own.';

--! routine drop_cron_link
CREATE OR REPLACE FUNCTION {{schema}}.drop_cron_link() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_grantee name;
BEGIN
  DELETE FROM {{schema}}.cron_link;
  -- GRANT … ON ALL TABLES reaches this table as well.
  REVOKE ALL ON {{schema}}.cron_link FROM PUBLIC;
  FOR v_grantee IN
    SELECT DISTINCT pg_get_userbyid(grantee)
    FROM pg_class
    JOIN pg_attribute ON attrelid = pg_class.oid
    CROSS JOIN LATERAL aclexplode(relacl || attacl)
    WHERE relnamespace = quote_ident({{schema:literal}})::regnamespace AND relname = 'cron_link'
      AND grantee NOT IN (0, relowner)
  LOOP
    EXECUTE format('REVOKE ALL ON %I.cron_link FROM %I CASCADE', {{schema:literal}}, v_grantee);
  END LOOP;
END
$$;
COMMENT ON FUNCTION {{schema}}.drop_cron_link IS
  'Forgets the way to the pg_cron database and its password, and takes every privilege on the '
  'table that holds them from all but its owner.';
REVOKE ALL ON FUNCTION {{schema}}.drop_cron_link FROM PUBLIC;
--! end

--! routine cron_link_connection
CREATE OR REPLACE FUNCTION {{schema}}.cron_link_connection() RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  -- libpq's quoting; chr(92) is the backslash, whose meaning in a literal is a setting.
  SELECT string_agg(
    name || '='''
      || replace(replace(value, chr(92), repeat(chr(92), 2)), '''', chr(92) || '''') || '''', ' ')
  FROM {{schema}}.cron_link,
       LATERAL (VALUES
         ('host', host),
         ('port', coalesce(port, current_setting('port'))),
         ('dbname', database),
         ('user', role),
         ('password', password)) AS parameter (name, value)
$$;
COMMENT ON FUNCTION {{schema}}.cron_link_connection IS
  'The link as a connection string, with its password: to be called inside the statement that '
  'connects, so that the password is neither in that statement nor among its parameters. NULL '
  'if there is no link.';
REVOKE ALL ON FUNCTION {{schema}}.cron_link_connection FROM PUBLIC;
--! end

--! routine cron_link_limits
CREATE OR REPLACE FUNCTION {{schema}}.cron_link_limits() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH sessions AS (
    SELECT usesysid, datid
    FROM pg_stat_activity
    WHERE usesysid IS NOT NULL AND datid IS NOT NULL
      -- Hidden of other roles; the scheduler is known by its name.
      AND coalesce(backend_type, 'client backend') = 'client backend'
      AND application_name <> 'pg_cron scheduler'
  )
  SELECT string_agg(said, ' ' ORDER BY place)
  FROM {{schema}}.cron_link AS link
  JOIN pg_roles AS role ON role.rolname = link.role AND NOT role.rolsuper
  JOIN pg_database AS db ON db.datname = link.database
  CROSS JOIN LATERAL (VALUES
    (1, role.rolconnlimit, (SELECT count(*) FROM sessions WHERE usesysid = role.oid),
     format('CONNECTION LIMIT %s of role "%s" is reached; an administrator raises it: '
            'ALTER ROLE %I CONNECTION LIMIT -1; -- or one that fits.',
            role.rolconnlimit, role.rolname, role.rolname)),
    (2, db.datconnlimit, (SELECT count(*) FROM sessions WHERE datid = db.oid),
     format('CONNECTION LIMIT %s of database "%s" is reached; an administrator raises it: '
            'ALTER DATABASE %I CONNECTION LIMIT -1; -- or one that fits.',
            db.datconnlimit, db.datname, db.datname)),
    (3, current_setting('max_connections')::integer
          - current_setting('superuser_reserved_connections')::integer
          - coalesce(current_setting('reserved_connections', true)::integer, 0),
     (SELECT count(*) FROM sessions),
     'All connections of the server are taken: close those that are not needed, or raise '
     'max_connections.')
  ) AS bound (place, most, taken, said)
  WHERE most >= 0 AND taken >= most
$$;
COMMENT ON FUNCTION {{schema}}.cron_link_limits IS
  'The limits of connections that are reached now and keep the link from connecting, each with '
  'what raises it. NULL if none is.';
REVOKE ALL ON FUNCTION {{schema}}.cron_link_limits FROM PUBLIC;
--! end

--! routine query_cron_link
CREATE OR REPLACE FUNCTION {{schema}}.query_cron_link(p_query text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_dblink text := (
    SELECT nspname
    FROM pg_extension
    JOIN pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname = 'dblink');
  v_far_side constant text := (
    SELECT format('database "%s" on %s:%s as role "%s"',
                  database, host, coalesce(port, current_setting('port')), role)
    FROM {{schema}}.cron_link);
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
    v_dblink, {{schema:literal}})
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
              CASE v_state WHEN '08001' THEN {{schema}}.cron_link_limits() END,
              'Run pcache-migrate doctor: it says what is missing.',
              'Nothing of this transaction was kept.');
END
$$;
COMMENT ON FUNCTION {{schema}}.query_cron_link IS
  'Runs one query in the pg_cron database over the link and returns its single jsonb value, which '
  'is not NULL. Raises what the far side raised, and where that is another server. Closes the '
  'connection in every case.';
REVOKE ALL ON FUNCTION {{schema}}.query_cron_link FROM PUBLIC;
--! end

--! routine check_cron_link
CREATE OR REPLACE FUNCTION {{schema}}.check_cron_link() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM {{schema}}.query_cron_link(
    format(
      'SELECT to_jsonb(work_database) FROM %I.deployment',
      (SELECT cron_schema FROM {{schema}}.deployment)));
END
$$;
COMMENT ON FUNCTION {{schema}}.check_cron_link IS
  'Raises unless the link to the pg_cron database works.';
REVOKE ALL ON FUNCTION {{schema}}.check_cron_link FROM PUBLIC;
--! end
