CREATE VIEW partitioncache.held_back AS
 SELECT query_hash,
    partition_key,
    suspect,
    not_before
   FROM partitioncache.attempt;

COMMENT ON VIEW partitioncache.held_back IS 'Fragments that were tried without a result, for functions that run with the rights of a client: they must wait until not_before, and leave suspects alone.';

GRANT SELECT ON TABLE partitioncache.held_back TO client_role;
GRANT SELECT ON TABLE partitioncache.held_back TO cron_role;
