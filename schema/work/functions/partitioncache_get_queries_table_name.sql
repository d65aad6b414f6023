CREATE FUNCTION public.partitioncache_get_queries_table_name(p_table_prefix text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ SELECT p_table_prefix || '_queries' $$;

COMMENT ON FUNCTION public.partitioncache_get_queries_table_name(p_table_prefix text) IS 'The unquoted name of the table of known fragments. Part of the clients'' contract.';
