-- The jobs that pg_cron should have, computed from the configuration alone. Whoever applies them
-- (the trigger or pcache-migrate sync) asks here, so there is only one answer.

--! routine first_bytes
CREATE OR REPLACE FUNCTION {{schema}}.first_bytes(p_text text, p_bytes integer) RETURNS text
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- Not by octet_length and left: a database may have another encoding than pg_cron's, or none.
  v_bytes bytea := convert_to(p_text, 'UTF8');
  v_end integer := p_bytes;
BEGIN
  IF octet_length(v_bytes) <= p_bytes THEN
    RETURN p_text;
  END IF;
  -- The byte behind the cut begins with 10: it belongs to the character before it.
  WHILE get_byte(v_bytes, v_end) & 192 = 128 LOOP
    v_end := v_end - 1;
  END LOOP;
  RETURN convert_from(substr(v_bytes, 1, v_end), 'UTF8');
END
$$;
COMMENT ON FUNCTION {{schema}}.first_bytes IS
  'As much of p_text as fits p_bytes bytes of UTF-8, in whole characters.';
REVOKE ALL ON FUNCTION {{schema}}.first_bytes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.first_bytes TO {{cron_role}};
--! end

--! routine cron_job_name
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
--! end

--! routine watches_always
CREATE OR REPLACE FUNCTION {{schema}}.watches_always() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- Two minutes are what the watchdog may need to come, at worst: with pg_cron 1.4 a minute until
  -- dispatch looks, and another one until the job starts.
  RETURN EXISTS (
    SELECT FROM {{processor_config}} WHERE enabled AND timeout_seconds < 120);
END
$$;
COMMENT ON FUNCTION {{schema}}.watches_always IS
  'Whether maintenance has to be there before there is work: it could not come in time to keep the '
  'shortest timeout.';
REVOKE ALL ON FUNCTION {{schema}}.watches_always FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.watches_always TO {{cron_role}};
--! end

--! routine desired_jobs
CREATE OR REPLACE FUNCTION {{schema}}.desired_jobs(p_pg_cron_version text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- Few rows, but estimated as thousands, which PostgreSQL compiles: that took longer than anything
-- else about a change of the configuration (190 ms to 1 s, instead of 4 ms).
SET jit = off
AS $$
DECLARE
  v_pg_cron_version text := coalesce(
    p_pg_cron_version, (SELECT pg_cron_version FROM {{schema}}.deployment));
BEGIN
  PERFORM {{schema}}.hold_own_tables('read', {{processor_config:literal}});
  RETURN (
    WITH processor AS (
      SELECT config.job_name, config.enabled, config.max_parallel_jobs,
             {{schema}}.start_interval(config.frequency_seconds, v_pg_cron_version) AS seconds
      FROM {{processor_config}} AS config
    ),
    jobs (position, job_name, schedule, command, kind, processor, slot, keep_days, on_demand) AS (
      SELECT 1, {{schema}}.cron_job_name(job_name, slot::text), {{schema}}.cron_schedule(seconds),
             format('CALL %I.run_processor(%L, %s)', {{schema:literal}}, job_name, slot),
             'processor', job_name, slot, NULL::integer,
             -- The first slot stays, and finds what comes. One that is started so rarely that it
             -- never stays takes no place from others.
             slot > 1 AND seconds <= 60
      FROM processor, generate_series(1, max_parallel_jobs) AS slot
      WHERE enabled
      UNION ALL
      -- As often as can be: without one no timeout is kept. Also while all are disabled: what was
      -- begun before is still to be timed out.
      SELECT 2, {{schema}}.cron_job_name(NULL, 'maintenance'),
             {{schema}}.cron_schedule({{schema}}.start_interval(1, v_pg_cron_version)),
             format('CALL %I.run_maintenance()', {{schema:literal}}),
             'maintenance', NULL, NULL, NULL, NOT {{schema}}.watches_always()
      WHERE EXISTS (SELECT FROM processor)
      UNION ALL
      SELECT 3, {{schema}}.cron_job_name(NULL, 'history'), '17 3 * * *',
             format('SELECT %I.prune_job_runs(%s)',
                    deployment.cron_schema, settings.run_retention_days),
             'history', NULL, NULL, settings.run_retention_days, false
      FROM {{schema}}.deployment, {{schema}}.settings
      WHERE EXISTS (SELECT FROM processor)
    ),
    dispatched AS (
      TABLE jobs
      UNION ALL
      SELECT 4, {{schema}}.cron_job_name(NULL, 'dispatch'),
             {{schema}}.cron_schedule({{schema}}.start_interval(14, v_pg_cron_version)),
             format('SELECT %I.dispatch(%s)',
                    deployment.cron_schema, maintenance.on_demand::text),
             'dispatch', NULL, NULL, NULL, false
      FROM {{schema}}.deployment, jobs AS maintenance
      WHERE maintenance.kind = 'maintenance' AND EXISTS (SELECT FROM jobs WHERE on_demand)
    )
    SELECT coalesce(
      jsonb_agg(jsonb_build_object(
                  'job_name', job_name, 'schedule', schedule, 'command', command, 'kind', kind,
                  'processor', processor, 'slot', slot, 'keep_days', keep_days,
                  'on_demand', on_demand, 'database', current_database())
                ORDER BY position, job_name),
      '[]')
    FROM dispatched
  );
END
$$;
COMMENT ON FUNCTION {{schema}}.desired_jobs IS
  'The jobs this deployment should have: [{job_name, schedule, command, kind, processor, slot, '
  'keep_days, on_demand, database}]. command is for comparison, since apply_jobs makes it itself; '
  'on_demand: its schedule is that for times with work, and dispatch puts it to rest at others; '
  'database is this one, by which apply_jobs knows a copy. A disabled processor has no slots. With '
  'p_pg_cron_version, as it will be once that version is recorded.';
REVOKE ALL ON FUNCTION {{schema}}.desired_jobs FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.desired_jobs TO {{cron_role}};
--! end
