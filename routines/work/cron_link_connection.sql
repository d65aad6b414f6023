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
