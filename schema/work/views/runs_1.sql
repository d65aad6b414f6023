CREATE VIEW partitioncache.runs_1 AS
 WITH held AS (
         SELECT locks.classid,
            locks.objid,
            locks.pid
           FROM pg_locks locks
          WHERE ((locks.locktype = 'advisory'::text) AND locks.granted AND (locks.objsubid = 2) AND (locks.database = ( SELECT pg_database.oid
                   FROM pg_database
                  WHERE (pg_database.datname = current_database()))))
        ), run AS (
         SELECT
                CASE slot.slot
                    WHEN 0 THEN 'by hand'::text
                    ELSE 'processor'::text
                END AS kind,
            slot.job_name AS processor,
            slot.slot,
            held.pid
           FROM (partitioncache.slot
             JOIN held ON ((held.objid = (slot.lock_key)::oid)))
          WHERE (held.classid = ((quote_ident('partitioncache'::text))::regnamespace)::oid)
        UNION
         SELECT
                CASE held.objid
                    WHEN 1 THEN 'maintenance'::text
                    WHEN 2 THEN 'by hand'::text
                    ELSE 'processor'::text
                END AS kind,
            NULL::text AS processor,
            NULL::integer AS slot,
            held.pid
           FROM held
          WHERE ((held.classid = (((quote_ident('partitioncache'::text) || '.hold'::text))::regclass)::oid) AND (held.objid = ANY (ARRAY[(1)::oid, (2)::oid, (3)::oid])))
        )
 SELECT run.kind,
    run.processor,
    run.slot,
    run.pid,
    activity.usename AS role
   FROM (run
     JOIN pg_stat_activity activity USING (pid))
  WHERE (((run.kind = 'by hand'::text) AND (run.slot IS NULL)) OR (activity.usename = ( SELECT deployment.cron_role
           FROM partitioncache.deployment)) OR pg_has_role(activity.usesysid, ( SELECT pg_namespace.nspowner
           FROM pg_namespace
          WHERE (pg_namespace.nspname = 'partitioncache'::name)), 'MEMBER'::text));

COMMENT ON VIEW partitioncache.runs_1 IS 'The runs that are at work at this moment: kind is processor, maintenance or by hand. processor, slot: NULL for maintenance, for a run that is just beginning, and for a run by hand within somebody''s transaction. Contract 1: these columns stay, for other versions of pcache-migrate.';

GRANT SELECT ON TABLE partitioncache.runs_1 TO cron_role;
