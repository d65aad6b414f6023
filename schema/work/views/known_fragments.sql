CREATE VIEW partitioncache.known_fragments AS
 SELECT status,
    fragments,
    last_seen
   FROM partitioncache.known_fragment_rows() known_fragment_rows(status, fragments, last_seen);

COMMENT ON VIEW partitioncache.known_fragments IS 'How many of the known fragments have each status: ok, failed, timeout or limit. No row for a status that none has.';

COMMENT ON COLUMN partitioncache.known_fragments.last_seen IS 'When the last of them was evaluated, or seen by a client, in the time zone of the server.';

GRANT SELECT ON TABLE partitioncache.known_fragments TO client_role;
GRANT SELECT ON TABLE partitioncache.known_fragments TO cron_role;
