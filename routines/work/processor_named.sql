CREATE OR REPLACE FUNCTION {{schema}}.processor_named(p_job_name text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT job_name
  FROM {{processor_config}}
  WHERE p_job_name IS NULL OR job_name = p_job_name
  ORDER BY job_name
  LIMIT 1
$$;
COMMENT ON FUNCTION {{schema}}.processor_named IS
  'The processor of this name, or the first one by name for NULL; NULL when there is none.';
REVOKE ALL ON FUNCTION {{schema}}.processor_named FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.processor_named TO {{client_role}}, {{cron_role}};
