CREATE FUNCTION partitioncache.collected_as(p_datatype text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  RETURN CASE p_datatype
    WHEN 'integer' THEN 'keys::bigint[]'
    -- A cast from double precision keeps 15 digits, its text keeps all of them. Clients compare
    -- real as double precision.
    WHEN 'float' THEN
      'CASE WHEN pg_catalog.pg_typeof(keys) OPERATOR(pg_catalog.=) '
      'ANY (''{real[],double precision[]}''::pg_catalog.regtype[]) '
      'THEN keys::double precision[]::pg_catalog.text[]::numeric[] ELSE keys::numeric[] END'
    WHEN 'text' THEN 'keys::pg_catalog.text[]'
    -- A local time in the hour that is repeated when summer time ends stands for two instants: NULL
    -- says that the keys have one of them.
    WHEN 'timestamp' THEN
      'CASE WHEN pg_catalog.pg_typeof(keys) OPERATOR(pg_catalog.<>) '
      '''timestamp with time zone[]''::pg_catalog.regtype '
      'OR keys::timestamp[]::timestamp with time zone[] '
      'OPERATOR(pg_catalog.=) keys::timestamp with time zone[] '
      'THEN keys::timestamp[] END'
  END;
END
$$;

COMMENT ON FUNCTION partitioncache.collected_as(p_datatype text) IS 'SQL expression that turns an array named keys, as a fragment returned them, into the array in which keys of this datatype are collected: of the widest type, so that nothing is lost before it is stored.';

REVOKE ALL ON FUNCTION partitioncache.collected_as(p_datatype text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.collected_as(p_datatype text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.collected_as(p_datatype text) TO client_role;
