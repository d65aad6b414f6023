CREATE FUNCTION partitioncache.cron_job_name(p_job_name text, p_slot integer) RETURNS text
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  -- The hash, not the readable head, is what keeps apart two databases, schemas or processors.
  v_tail text := format('_%s_%s',
    left(md5(concat_ws(E'\n', current_database(), 'partitioncache', p_job_name)), 8), p_slot);
  v_head text := 'partitioncache_' || regexp_replace(p_job_name, '^partitioncache_', '');
BEGIN
  WHILE octet_length(v_head) > 63 - octet_length(v_tail) LOOP
    v_head := left(v_head, -1);
  END LOOP;
  RETURN v_head || v_tail;
END
$$;

COMMENT ON FUNCTION partitioncache.cron_job_name(p_job_name text, p_slot integer) IS 'Name of the pg_cron job that starts slot p_slot of processor p_job_name: at most 63 bytes, unique in the cluster.';

REVOKE ALL ON FUNCTION partitioncache.cron_job_name(p_job_name text, p_slot integer) FROM PUBLIC;
