CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_array_intersect(
  p_state anyarray, p_next anyarray
) RETURNS anyarray
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT ARRAY(SELECT unnest(p_state) INTERSECT SELECT unnest(p_next) ORDER BY 1) $$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_array_intersect(anyarray, anyarray) IS
  'The elements that both arrays have, each once, sorted: the state function of '
  'array_intersect_agg.';
