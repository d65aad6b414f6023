CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_manual_process_queue(
  p_count integer DEFAULT 100, p_job_name text DEFAULT NULL
)
RETURNS TABLE (processed_count integer, message text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema name;
  v_found_schema name;
  v_job_name text;
  v_found_job_name text;
BEGIN
  FOR v_schema IN
    SELECT schema_name
    FROM {{client_schema}}.partitioncache_deployments()
    -- A deployment that is being deployed or rolled back right now has no processor to offer.
    WHERE to_regprocedure(format('%I.processor_named(text)', schema_name)) IS NOT NULL
  LOOP
    EXECUTE format('SELECT %I.processor_named($1)', v_schema) INTO v_job_name USING p_job_name;
    IF v_job_name IS NOT NULL AND v_found_schema IS NOT NULL THEN
      RAISE EXCEPTION 'both deployment % and deployment % have such a processor',
        v_found_schema, v_schema
        USING ERRCODE = 'ambiguous_parameter',
              HINT = 'Give p_job_name a name that only one of them has; '
                     'SELECT job_name FROM <queue prefix>_processor_config shows the names.';
    END IF;
    IF v_job_name IS NOT NULL THEN
      v_found_schema := v_schema;
      v_found_job_name := v_job_name;
    END IF;
  END LOOP;
  IF v_found_schema IS NULL THEN
    RAISE EXCEPTION 'there is no processor %',
      coalesce('"' || p_job_name || '"', 'in this database')
      USING ERRCODE = 'no_data_found',
            HINT = 'Create one with pcache-migrate setup or pcache-migrate processor add.';
  END IF;
  EXECUTE format('SELECT %I.process_batch($1, $2)', v_found_schema)
    INTO processed_count USING v_found_job_name, p_count;
  message := format('%s fragments processed by %s', processed_count, v_found_job_name);
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_manual_process_queue(integer, text) IS
  'Processes up to p_count queued fragments by hand, even if the '
  'processor is disabled. Part of the clients'' contract.';
