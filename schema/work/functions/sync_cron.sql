CREATE FUNCTION partitioncache.sync_cron() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_deployment "partitioncache".deployment := (SELECT deployment FROM "partitioncache".deployment);
  v_call text := format(
    'SELECT %I.apply_jobs(%L::jsonb)', v_deployment.cron_schema, "partitioncache".desired_jobs());
  v_applied jsonb;
  v_message text;
BEGIN
  IF NOT EXISTS (SELECT FROM "partitioncache".sync_pending) THEN
    RETURN NULL;
  END IF;
  IF v_deployment.transport = 'deploy' THEN
    -- This is a courtesy: the view sync_pending and pcache-migrate status show what is pending.
    RAISE NOTICE 'pg_cron does not know of this change yet: run pcache-migrate sync';
    RETURN NULL;
  END IF;
  BEGIN
    -- The jobs of the original are none of a copy's business, whatever the copy has configured.
    IF "partitioncache".has_moved() THEN
      RAISE EXCEPTION 'database "%" was deployed as "%", whose jobs are not touched from here',
        current_database(), v_deployment.work_database
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'It was renamed, copied or restored: run pcache-migrate adopt.';
    END IF;
    IF v_deployment.transport = 'direct' THEN
      EXECUTE v_call INTO v_applied;
    ELSE
      v_applied := "partitioncache".query_cron_link(v_call);
    END IF;
    PERFORM "partitioncache".mark_synced(v_applied);
  EXCEPTION
    WHEN OTHERS THEN
      -- Stopping must work even if pg_cron cannot be reached: processors read their
      -- row live, so jobs that are still started find nothing to do. What is left
      -- undone stays visible in sync_pending.
      IF (TG_OP <> 'DELETE' AND NEW.enabled)
         OR EXISTS (SELECT FROM "partitioncache".sync_pending WHERE change <> 'unschedule') THEN
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

COMMENT ON FUNCTION partitioncache.sync_cron() IS 'Trigger function: makes pg_cron''s jobs follow the configuration, by the transport of the deployment. Raises what pg_cron raised, except when a processor is disabled or removed and only unscheduling is left to do.';

REVOKE ALL ON FUNCTION partitioncache.sync_cron() FROM PUBLIC;
