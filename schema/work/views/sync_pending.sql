CREATE VIEW partitioncache.sync_pending AS
 SELECT COALESCE(desired.job_name, applied.job_name) AS job_name,
        CASE
            WHEN (applied.job_name IS NULL) THEN 'schedule'::text
            WHEN (desired.job_name IS NULL) THEN 'unschedule'::text
            ELSE 'alter'::text
        END AS change,
    desired.schedule AS desired_schedule,
    applied.schedule AS applied_schedule
   FROM (jsonb_to_recordset(partitioncache.desired_jobs()) desired(job_name text, schedule text, command text)
     FULL JOIN partitioncache.applied_job applied ON ((applied.job_name = desired.job_name)))
  WHERE ((desired.schedule IS DISTINCT FROM applied.schedule) OR (desired.command IS DISTINCT FROM applied.command));

COMMENT ON VIEW partitioncache.sync_pending IS 'Changes of the configuration that pg_cron does not know of yet: run pcache-migrate sync.';
