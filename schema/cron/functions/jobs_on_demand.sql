CREATE FUNCTION partitioncache_work_database.jobs_on_demand(p_maintenance boolean) RETURNS TABLE(jobid bigint, job_name text, schedule text, command text, database text, awake_schedule text, rest_schedule text, helper bigint)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  WITH own AS (
    SELECT * FROM "partitioncache_work_database".own_jobs() WHERE active AND job_name IS NOT NULL
  ),
  slot AS (
    SELECT own.*, parts[1] AS processor, parts[2]::integer AS number
    FROM own, regexp_match(own.command, '^(.*), ([0-9]{1,9})[)]$') AS parts
    WHERE starts_with(own.command, format('CALL %I.run_processor(', 'partitioncache'))
  )
  SELECT helper.jobid, helper.job_name, helper.schedule, helper.command, helper.database,
         first.schedule, "partitioncache_work_database".rest_schedule('processor'),
         row_number() OVER (ORDER BY helper.number, helper.processor COLLATE "C")
  FROM slot AS helper
  JOIN (
    -- One, also where somebody has scheduled the same by hand.
    SELECT DISTINCT ON (processor) processor, schedule
    FROM slot
    WHERE number = 1 AND "partitioncache_work_database".is_first_slot(command, schedule)
    ORDER BY processor, jobid
  ) AS first ON first.processor = helper.processor
  WHERE helper.number > 1
  UNION ALL
  SELECT jobid, job_name, schedule, command, database,
         CASE WHEN EXISTS (SELECT FROM own AS any_job WHERE any_job.schedule ~ '^[0-9]+ seconds$')
           THEN '1 seconds'
           ELSE '* * * * *'
         END,
         "partitioncache_work_database".rest_schedule('maintenance'),
         0
  FROM own
  WHERE p_maintenance AND command = format('CALL %I.run_maintenance()', 'partitioncache')
$_$;

COMMENT ON FUNCTION partitioncache_work_database.jobs_on_demand(p_maintenance boolean) IS 'The jobs of this deployment that rest while there is no work, each with its schedules for times with work, which a processor''s first slot has at all times, and without. helper: which of the slots beside the first it is, from 1 on; 0 for maintenance. p_maintenance: whether that is one of them.';

REVOKE ALL ON FUNCTION partitioncache_work_database.jobs_on_demand(p_maintenance boolean) FROM PUBLIC;
