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
