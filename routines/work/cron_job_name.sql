-- p_processor is NULL for a job of the deployment itself; p_role is the slot, maintenance or
-- history. The other parameters are the deployment's own. Nothing else may decide the name: it must
-- not change when another deployment comes or goes.
--
-- A plain name is partitioncache_<database>[_<label>]_<role>. No two of them are equal, since each
-- can be read from its end: the role has no _ and is a number only where there is a label; the
-- label has no _; the rest is the database. The schema is the default one, so the database has only
-- one such deployment, with one table prefix: its default processor has the suffix of that prefix
-- as its label, every other processor its own name. All other names end in _<hash>_<role>, as no
-- plain name does. No name begins like those that PartitionCache's own tool gives to its jobs.
CREATE OR REPLACE FUNCTION {{schema}}.cron_job_name(
  p_processor text,
  p_role text,
  p_database text DEFAULT current_database(),
  p_schema text DEFAULT {{schema:literal}},
  p_table_prefix text DEFAULT {{table_prefix:literal}}
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
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
     AND {{schema}}.first_bytes(v_plain, 63) = v_plain THEN
    RETURN v_plain;
  END IF;
  v_tail := format('_%s_%s', left(encode(sha256(convert_to(
    jsonb_build_array(p_database, p_schema, p_processor)::text, 'UTF8')), 'hex'), 12), p_role);
  -- For the reader alone: the hash is what tells them apart.
  v_head := concat_ws('_', p_database,
    regexp_replace(nullif(p_schema, 'partitioncache'), '^partitioncache_', ''),
    regexp_replace(v_label, '^partitioncache_(process_queue_)?', ''));
  RETURN {{schema}}.first_bytes(
    'partitioncache_' || regexp_replace(v_head, '^process_queue', 'processqueue'),
    63 - octet_length(v_tail)) || v_tail;
END
$$;
COMMENT ON FUNCTION {{schema}}.cron_job_name IS
  'Name of the pg_cron job of a processor and slot, or (processor NULL) of maintenance or history: '
  'at most 63 bytes, unlike that of any other job of any deployment.';
REVOKE ALL ON FUNCTION {{schema}}.cron_job_name FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.cron_job_name TO {{cron_role}};
