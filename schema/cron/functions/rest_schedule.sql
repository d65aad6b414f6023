CREATE FUNCTION partitioncache_work_database.rest_schedule(p_kind text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT CASE p_kind
    -- It keeps queue and log small as well. Not all deployments in the same minute.
    WHEN 'maintenance' THEN format('%s * * * *',
      abs(mod(hashtext(encode(convert_to('partitioncache_work_database', 'UTF8'), 'hex')), 60)))
    -- On the 30th of February.
    WHEN 'processor' THEN '0 0 30 2 *'
  END
$$;

COMMENT ON FUNCTION partitioncache_work_database.rest_schedule(p_kind text) IS 'The schedule of a job on demand while there is no work: once an hour for maintenance, never for a slot of a processor.';

REVOKE ALL ON FUNCTION partitioncache_work_database.rest_schedule(p_kind text) FROM PUBLIC;
