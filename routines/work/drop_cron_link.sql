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
