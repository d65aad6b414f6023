CREATE VIEW partitioncache.holds_1 AS
 SELECT hold.holder,
    hold.reason,
    hold.held_by,
    hold.host,
    hold.since,
    hold.pid
   FROM (partitioncache.hold
     LEFT JOIN pg_locks locks ON (((locks.locktype = 'advisory'::text) AND locks.granted AND (locks.pid = hold.pid) AND (locks.database = ( SELECT this.oid
           FROM pg_database this
          WHERE (this.datname = current_database()))) AND (locks.classid = hold.tableoid) AND (locks.objid = (0)::oid) AND (locks.objsubid = 2))))
  WHERE ((hold.pid IS NULL) OR (locks.pid IS NOT NULL));

COMMENT ON VIEW partitioncache.holds_1 IS 'What keeps processing from going on at this moment; no row: nothing does. pid: the session with which the hold ends; NULL: it stands until it is released. Contract 1: these columns stay, for other versions of pcache-migrate.';

GRANT SELECT ON TABLE partitioncache.holds_1 TO cron_role;
GRANT SELECT ON TABLE partitioncache.holds_1 TO client_role;
