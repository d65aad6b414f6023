-- The rules of cron_job_name in the work database, read from the other side. They are unambiguous:
-- no other deployment or database has such a name, nor has PartitionCache's own tool.
CREATE OR REPLACE FUNCTION {{cron_schema}}.is_own_name(p_job_name text, p_processors text[])
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT starts_with(p_job_name, 'partitioncache_') AND CASE
    WHEN p_job_name ~ '_[0-9a-f]{12}_[^_]+$' THEN
      substring(p_job_name FROM '_([0-9a-f]{12})_[^_]+$') IN (
        SELECT left(encode(sha256(convert_to(jsonb_build_array(
          {{work_database:literal}}, {{schema:literal}}, processor)::text, 'UTF8')), 'hex'), 12)
        -- NULL stands for the jobs of the deployment itself.
        FROM unnest(array_append(p_processors, NULL)) AS processor)
    ELSE {{schema:literal}} = 'partitioncache'
      AND NOT starts_with(p_job_name, 'partitioncache_process_queue_')
      AND starts_with(p_job_name, 'partitioncache_' || {{work_database:literal}} || '_')
      AND substr(p_job_name, length('partitioncache_' || {{work_database:literal}} || '_') + 1)
          ~ '^(maintenance|history|dispatch|[^_]+_[0-9]+)$'
  END
$$;
COMMENT ON FUNCTION {{cron_schema}}.is_own_name IS
  'Whether a job of this name can only be one of this deployment. Names with a hash are recognised '
  'for the deployment''s own jobs and for those of p_processors.';
REVOKE ALL ON FUNCTION {{cron_schema}}.is_own_name FROM PUBLIC;
