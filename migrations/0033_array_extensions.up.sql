-- What the array clients use to intersect sets: the extension intarray,
-- where the server has it, and an aggregate.

CREATE TABLE {{schema}}.created_extension (extension_name text PRIMARY KEY);
COMMENT ON TABLE {{schema}}.created_extension IS
  'Extensions that this deployment created, or that another one created which is gone by '
  'now, and that this deployment may therefore drop.';

--! routine partitioncache_array_intersect
CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_array_intersect(
  p_state anyarray, p_next anyarray
) RETURNS anyarray
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT ARRAY(SELECT unnest(p_state) INTERSECT SELECT unnest(p_next) ORDER BY 1) $$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_array_intersect(anyarray, anyarray) IS
  'The elements that both arrays have, each once, sorted: the state function of '
  'array_intersect_agg.';
--! end

--! routine partitioncache_setup_array_extensions
CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_setup_array_extensions() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema CONSTANT text := quote_ident({{client_schema:literal}});
  v_owner oid := (
    SELECT proowner FROM pg_proc
    WHERE oid = to_regprocedure(v_schema || '.array_intersect_agg(anyarray)'));
BEGIN
  IF v_owner IS NULL THEN
    CREATE AGGREGATE {{client_schema}}.array_intersect_agg(anyarray)
      (SFUNC = {{client_schema}}.partitioncache_array_intersect, STYPE = anyarray);
  ELSIF v_owner <> current_user::regrole AND NOT pg_has_role(
      v_owner,
      (SELECT proowner FROM pg_proc
       WHERE oid = to_regprocedure(v_schema || '.partitioncache_setup_array_extensions()')),
      'MEMBER')
  THEN
    -- Anybody who may create in the schema can make one, which would run with our caller's rights.
    RAISE EXCEPTION 'array_intersect_agg(anyarray) in schema % is of role %, and not used',
      v_schema, v_owner::regrole
      USING ERRCODE = 'wrong_object_type',
            HINT = format('Find out who made it and why, then: '
                          'DROP ROUTINE %s.array_intersect_agg(anyarray);', v_schema);
  END IF;
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'intarray') THEN
    RETURN true;
  END IF;
  BEGIN
    CREATE EXTENSION IF NOT EXISTS intarray SCHEMA {{client_schema}};
    RETURN true;
  EXCEPTION
    -- Without the package, or the right to create the extension, there
    -- is no intarray, and the result says so.
    WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
      RETURN false;
  END;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_setup_array_extensions() IS
  'Returns whether the extension intarray is present, after trying to create it. Also makes sure '
  'that the aggregate array_intersect_agg exists. Raises 42809 where that is neither the caller''s '
  'nor of somebody with the rights of this function''s owner. Part of the clients'' contract.';
--! end

DO $array$
DECLARE
  v_schema CONSTANT text := pg_catalog.quote_ident({{client_schema:literal}});
  v_owner oid := (
    SELECT proowner FROM pg_catalog.pg_proc
    WHERE oid = pg_catalog.to_regprocedure(v_schema || '.array_intersect_agg(anyarray)'));
BEGIN
  -- For every backend, so that the aggregate belongs to the migrator and not
  -- to the first array client that misses it.
  IF v_owner IS NULL THEN
    CREATE AGGREGATE {{client_schema}}.array_intersect_agg(anyarray)
      (SFUNC = {{client_schema}}.partitioncache_array_intersect, STYPE = anyarray);
  ELSIF NOT pg_catalog.pg_has_role(v_owner, 'USAGE')
        AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE oid = v_owner) THEN
    -- doctor has looked before; this one was quick.
    RAISE EXCEPTION 'array_intersect_agg(anyarray) in schema % is of role %: drop it',
      v_schema, v_owner::regrole;
  END IF;
  IF {{cache_backend:literal}} = 'array'
     AND EXISTS (
       SELECT FROM pg_catalog.pg_available_extensions
       WHERE name = 'intarray' AND installed_version IS NULL
     ) THEN
    CREATE EXTENSION intarray SCHEMA {{client_schema}};
    INSERT INTO {{schema}}.created_extension VALUES ('intarray');
  END IF;
END
$array$;
