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
