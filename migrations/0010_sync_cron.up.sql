-- A row of the configuration becomes jobs of pg_cron. The trigger is deferred to COMMIT, so that
-- all changes of a transaction are applied at once and a ROLLBACK schedules nothing.

--! routine check_slots
CREATE OR REPLACE FUNCTION {{schema}}.check_slots(
  p_job_name text, p_former_name text, p_slots integer
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_limit integer := (SELECT max_slots FROM {{schema}}.service);
  v_total bigint;
BEGIN
  -- One change at a time: two that fit alone could exceed the limit together.
  PERFORM pg_advisory_xact_lock(
    (quote_ident({{schema:literal}}) || '.settings')::regclass::oid::integer, 0);
  PERFORM {{schema}}.hold_own_tables('read', {{processor_config:literal}});
  SELECT p_slots + coalesce(sum(max_parallel_jobs), 0) INTO v_total
  FROM {{processor_config}}
  WHERE enabled AND job_name <> p_job_name AND job_name IS DISTINCT FROM p_former_name;
  IF v_total > v_limit THEN
    RAISE EXCEPTION
      'processor "%" cannot have % slots: the enabled processors would have %, the limit is %',
      p_job_name, p_slots, v_total, v_limit
      USING ERRCODE = 'check_violation',
            HINT = format(
              'Lower max_parallel_jobs, disable another processor, or raise the limit as the '
              'migrator: UPDATE %I.settings SET max_slots = %s;', {{schema:literal}}, v_total);
  END IF;
END
$$;
COMMENT ON FUNCTION {{schema}}.check_slots IS
  'Raises 23514 when p_slots slots of processor p_job_name, and those of all other enabled '
  'processors, are more than max_slots. p_former_name: what the processor was called before, NULL '
  'for a new one. Holds a lock until the end of the transaction.';
REVOKE ALL ON FUNCTION {{schema}}.check_slots FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.check_slots TO {{client_role}}, {{cron_role}};
--! end

--! routine validate_processor_config
CREATE OR REPLACE FUNCTION {{schema}}.validate_processor_config() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_service record;
BEGIN
  SELECT * INTO STRICT v_service FROM {{schema}}.service;
  IF (NEW.table_prefix, NEW.queue_prefix, NEW.cache_backend)
     IS DISTINCT FROM
     (v_service.table_prefix, v_service.queue_prefix, v_service.cache_backend) THEN
    RAISE EXCEPTION
      'processor % names queue %, cache % (%), but this deployment serves queue %, cache % (%)',
      NEW.job_name, NEW.queue_prefix, NEW.table_prefix, NEW.cache_backend,
      v_service.queue_prefix, v_service.table_prefix, v_service.cache_backend
      USING ERRCODE = 'check_violation',
            HINT = 'Another queue or cache is a deployment of its own: '
                   'give it its own PCACHE_SCHEMA and run pcache-migrate setup.';
  END IF;
  -- Only what takes more slots: a limit that was lowered since must not block other changes.
  IF NEW.enabled AND (
    TG_OP = 'INSERT' OR NOT OLD.enabled OR NEW.max_parallel_jobs > OLD.max_parallel_jobs
  ) THEN
    PERFORM {{schema}}.check_slots(
      NEW.job_name, CASE TG_OP WHEN 'UPDATE' THEN OLD.job_name END, NEW.max_parallel_jobs);
  END IF;
  -- A row restored from a dump of another database must name this
  -- one: jobs never run anywhere else.
  NEW.target_database := current_database();
  NEW.updated_at := now();
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION {{schema}}.validate_processor_config IS
  'Trigger function: refuses a processor for tables that this deployment does not serve, and more '
  'slots than check_slots allows; sets target_database and updated_at.';
REVOKE ALL ON FUNCTION {{schema}}.validate_processor_config FROM PUBLIC;
--! end

--! routine sync_cron
-- SECURITY DEFINER, because the role that changes the row has neither the
-- user mapping nor rights in the pg_cron schema.
CREATE OR REPLACE FUNCTION {{schema}}.sync_cron() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_deployment {{schema}}.deployment := (SELECT deployment FROM {{schema}}.deployment);
  v_call text := format(
    'SELECT %I.apply_jobs(%L::jsonb)', v_deployment.cron_schema, {{schema}}.desired_jobs());
  v_applied jsonb;
  v_message text;
BEGIN
  IF NOT EXISTS (SELECT FROM {{schema}}.sync_pending) THEN
    RETURN NULL;
  END IF;
  IF v_deployment.transport = 'deploy' THEN
    -- This is a courtesy: the view sync_pending and pcache-migrate status show what is pending.
    RAISE NOTICE 'pg_cron does not know of this change yet: run pcache-migrate sync';
    RETURN NULL;
  END IF;
  BEGIN
    -- The jobs of the original are none of a copy's business, whatever the copy has configured.
    IF {{schema}}.has_moved() THEN
      RAISE EXCEPTION 'database "%" was deployed as "%", whose jobs are not touched from here',
        current_database(), v_deployment.work_database
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'It was renamed, copied or restored: run pcache-migrate adopt.';
    END IF;
    IF v_deployment.transport = 'direct' THEN
      EXECUTE v_call INTO v_applied;
    ELSE
      v_applied := {{schema}}.query_cron_link(v_call);
    END IF;
    PERFORM {{schema}}.mark_synced(v_applied);
  EXCEPTION
    WHEN OTHERS THEN
      -- Stopping must work even if pg_cron cannot be reached: processors read their
      -- row live, so jobs that are still started find nothing to do. What is left
      -- undone stays visible in sync_pending.
      IF (TG_OP <> 'DELETE' AND NEW.enabled)
         OR EXISTS (SELECT FROM {{schema}}.sync_pending WHERE change <> 'unschedule') THEN
        RAISE;
      END IF;
      GET STACKED DIAGNOSTICS v_message = MESSAGE_TEXT;
      RAISE WARNING 'processor % is stopped, but its jobs could not be unscheduled: %',
        CASE TG_OP WHEN 'DELETE' THEN OLD.job_name ELSE NEW.job_name END, v_message
        USING HINT = 'They do nothing when started. '
                     'Run pcache-migrate sync when pg_cron can be reached again.';
  END;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION {{schema}}.sync_cron IS
  'Trigger function: makes pg_cron''s jobs follow the configuration, by the transport '
  'of the deployment. Raises what pg_cron raised, except when a processor is disabled '
  'or removed and only unscheduling is left to do.';
REVOKE ALL ON FUNCTION {{schema}}.sync_cron FROM PUBLIC;
--! end

CREATE TRIGGER pcache_validate
  BEFORE INSERT OR UPDATE ON {{processor_config}}
  FOR EACH ROW EXECUTE FUNCTION {{schema}}.validate_processor_config();

CREATE CONSTRAINT TRIGGER pcache_sync_cron
  AFTER INSERT OR DELETE OR UPDATE OF job_name, enabled, max_parallel_jobs, frequency_seconds
  ON {{processor_config}}
  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION {{schema}}.sync_cron();
