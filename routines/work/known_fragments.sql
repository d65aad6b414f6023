CREATE OR REPLACE VIEW {{schema}}.known_fragments AS SELECT * FROM {{schema}}.known_fragment_rows();
COMMENT ON VIEW {{schema}}.known_fragments IS
  'How many of the known fragments have each status: ok, failed, timeout or limit. No row for a '
  'status that none has.';
COMMENT ON COLUMN {{schema}}.known_fragments.last_seen IS
  'When the last of them was evaluated, or seen by a client, in the time zone of the server.';
GRANT SELECT ON {{schema}}.known_fragments TO {{client_role}}, {{cron_role}};
