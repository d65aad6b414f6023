CREATE OR REPLACE FUNCTION {{schema}}.processor_named(p_job_name text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM {{schema}}.hold_own_tables('read', {{processor_config:literal}});
  RETURN (
    SELECT job_name
    FROM {{processor_config}}
    WHERE p_job_name IS NULL OR job_name = p_job_name
    ORDER BY job_name
    LIMIT 1
  );
END
$$;
COMMENT ON FUNCTION {{schema}}.processor_named IS
  'The processor of this name, or the first one by name for NULL; NULL when there is none.';
REVOKE ALL ON FUNCTION {{schema}}.processor_named FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.processor_named TO {{client_role}}, {{cron_role}};
