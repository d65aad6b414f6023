CREATE FUNCTION partitioncache_work_database.hidden_deployments() RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- The jobs of other roles are hidden, but not this function of theirs, one a deployment.
  SELECT count(*)
  FROM pg_proc
  WHERE proname = 'dispatch' AND proargtypes = '16' -- boolean
    AND NOT pg_is_other_temp_schema(pronamespace) AND pronamespace <> pg_my_temp_schema()
    AND proowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
$$;

COMMENT ON FUNCTION partitioncache_work_database.hidden_deployments() IS 'How many deployments in this pg_cron are of other cron roles, whose jobs this one does not see.';

REVOKE ALL ON FUNCTION partitioncache_work_database.hidden_deployments() FROM PUBLIC;
