CREATE VIEW partitioncache.claims AS
 SELECT batch.batch_id,
    batch.lock_key,
    slot.job_name,
    slot.slot,
    batch.pid,
    batch.queue_ids,
    batch.claimed_at
   FROM (partitioncache.batch
     LEFT JOIN partitioncache.slot ON ((slot.lock_key = batch.lock_key)));

COMMENT ON VIEW partitioncache.claims IS 'What the runs have claimed, for functions that run with the rights of a client: they must leave it alone, and cannot change it.';

GRANT SELECT ON TABLE partitioncache.claims TO client_role;
GRANT SELECT ON TABLE partitioncache.claims TO cron_role;
