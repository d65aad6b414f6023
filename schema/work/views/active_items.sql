CREATE VIEW partitioncache.active_items AS
 SELECT job_name,
    slot,
    query_hash,
    partition_key,
    pid,
    started_at,
    running_for
   FROM partitioncache.active_item_rows() active_item_rows(job_name, slot, query_hash, partition_key, pid, started_at, running_for);

COMMENT ON VIEW partitioncache.active_items IS 'What the slots are working on now, and since when (to within a second, for roles other than the runs'' own). Not shown: quick fragments in a chunk of them, which lasts two seconds at most.';

GRANT SELECT ON TABLE partitioncache.active_items TO client_role;
GRANT SELECT ON TABLE partitioncache.active_items TO cron_role;
