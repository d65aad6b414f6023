CREATE FUNCTION partitioncache.cron_job_name(p_processor text, p_role text, p_database text DEFAULT current_database(), p_schema text DEFAULT 'partitioncache'::text, p_table_prefix text DEFAULT 'my_cache'::text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_suffix text := coalesce(nullif(replace(
    regexp_replace(p_table_prefix, '^partitioncache(_|$)', ''), '_', ''), ''), 'default');
  v_is_default boolean :=
    p_processor = format('partitioncache_process_queue_%s_%s', p_database, v_suffix);
  v_label text := CASE WHEN v_is_default THEN v_suffix ELSE p_processor END;
  v_plain text := concat_ws('_', 'partitioncache', p_database, v_label, p_role);
  v_head text;
  v_tail text;
BEGIN
  IF p_schema = 'partitioncache'
     AND (p_processor IS NULL OR v_is_default
          OR (strpos(p_processor, '_') = 0 AND p_processor NOT IN ('', v_suffix)))
     AND v_plain !~ '^partitioncache_process_queue_|_[0-9a-f]{12}_[^_]+$'
     AND "partitioncache".first_bytes(v_plain, 63) = v_plain THEN
    RETURN v_plain;
  END IF;
  v_tail := format('_%s_%s', left(encode(sha256(convert_to(
    jsonb_build_array(p_database, p_schema, p_processor)::text, 'UTF8')), 'hex'), 12), p_role);
  -- For the reader alone: the hash is what tells them apart.
  v_head := concat_ws('_', p_database,
    regexp_replace(nullif(p_schema, 'partitioncache'), '^partitioncache_', ''),
    regexp_replace(v_label, '^partitioncache_(process_queue_)?', ''));
  RETURN "partitioncache".first_bytes(
    'partitioncache_' || regexp_replace(v_head, '^process_queue', 'processqueue'),
    63 - octet_length(v_tail)) || v_tail;
END
$_$;

COMMENT ON FUNCTION partitioncache.cron_job_name(p_processor text, p_role text, p_database text, p_schema text, p_table_prefix text) IS 'Name of the pg_cron job of a processor and slot, or (processor NULL) of maintenance or history: at most 63 bytes, unlike that of any other job of any deployment.';

REVOKE ALL ON FUNCTION partitioncache.cron_job_name(p_processor text, p_role text, p_database text, p_schema text, p_table_prefix text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.cron_job_name(p_processor text, p_role text, p_database text, p_schema text, p_table_prefix text) TO cron_role;
