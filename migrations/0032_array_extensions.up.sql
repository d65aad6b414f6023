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
COMMENT ON FUNCTION {{client_schema}}.partitioncache_array_intersect IS
  'The elements that both arrays have, each once, sorted: the state function of '
  'array_intersect_agg.';
--! end

--! routine partitioncache_setup_array_extensions
CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_setup_array_extensions() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF to_regprocedure(
      quote_ident({{client_schema:literal}}) || '.array_intersect_agg(anyarray)') IS NULL THEN
    CREATE AGGREGATE {{client_schema}}.array_intersect_agg(anyarray)
      (SFUNC = {{client_schema}}.partitioncache_array_intersect, STYPE = anyarray);
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
COMMENT ON FUNCTION {{client_schema}}.partitioncache_setup_array_extensions IS
  'Returns whether the extension intarray is present, after trying to create it. Also makes sure '
  'that the aggregate array_intersect_agg exists. Part of the clients'' contract.';
--! end

DO $array$
BEGIN
  -- For every backend, so that the aggregate belongs to the migrator and not
  -- to the first array client that misses it.
  IF pg_catalog.to_regprocedure(
      pg_catalog.quote_ident({{client_schema:literal}}) || '.array_intersect_agg(anyarray)'
    ) IS NULL THEN
    CREATE AGGREGATE {{client_schema}}.array_intersect_agg(anyarray)
      (SFUNC = {{client_schema}}.partitioncache_array_intersect, STYPE = anyarray);
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
