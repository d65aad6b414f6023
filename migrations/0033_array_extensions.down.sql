-- The functions are shared with the other deployments of the
-- clients' schema: the last one drops them.
DO $drop$
BEGIN
  IF NOT {{schema}}.is_last_deployment() THEN
    RETURN;
  END IF;
  -- An aggregate that belongs to another role was there before us, or is a client's own.
  IF EXISTS (
    SELECT FROM pg_catalog.pg_proc
    WHERE oid = pg_catalog.to_regprocedure(
        pg_catalog.quote_ident({{client_schema:literal}}) || '.array_intersect_agg(anyarray)')
      AND pg_catalog.pg_has_role(proowner, 'USAGE')
  ) THEN
    DROP AGGREGATE {{client_schema}}.array_intersect_agg(anyarray);
  END IF;
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_setup_array_extensions();
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_array_intersect(anyarray, anyarray);
END
$drop$;

-- The extension is shared with all deployments of the database:
-- another one inherits the right to drop it.
DO $drop$
DECLARE
  v_heir regclass;
  v_may_inherit boolean;
BEGIN
  IF NOT EXISTS (SELECT FROM {{schema}}.created_extension WHERE extension_name = 'intarray') THEN
    RETURN;
  END IF;
  -- What belongs to another role may have a trigger, which would run with our rights.
  SELECT pg_class.oid, pg_catalog.pg_get_userbyid(relowner) = current_user
  INTO v_heir, v_may_inherit
  FROM pg_catalog.pg_class
  JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relname = 'created_extension' AND nspname <> {{schema:literal}}
    AND nspname IN (SELECT {{schema}}.deployment_schemas())
  ORDER BY 2 DESC
  LIMIT 1;
  IF v_may_inherit THEN
    EXECUTE pg_catalog.format(
      'INSERT INTO %s VALUES (''intarray'') ON CONFLICT DO NOTHING', v_heir);
  ELSIF v_heir IS NOT NULL THEN
    RAISE NOTICE 'the extension intarray stays: another deployment of this database uses it';
  ELSIF EXISTS (
    SELECT FROM pg_catalog.pg_extension
    WHERE extname = 'intarray' AND NOT pg_catalog.pg_has_role(extowner, 'USAGE')
  ) THEN
    -- Whoever restored a dump made it again, and nobody can give it to another role.
    RAISE NOTICE 'the extension intarray stays: it belongs to another role';
  ELSE
    BEGIN
      DROP EXTENSION IF EXISTS intarray;
    EXCEPTION
      -- Somebody else's index or function may use it by now.
      WHEN dependent_objects_still_exist THEN
        RAISE NOTICE 'the extension intarray stays: other objects use it';
    END;
  END IF;
END
$drop$;
DROP TABLE {{schema}}.created_extension;
