CREATE OR REPLACE VIEW {{schema}}.held_back AS
  SELECT attempt.query_hash, attempt.partition_key, attempt.suspect, attempt.not_before
  FROM {{schema}}.attempt;
COMMENT ON VIEW {{schema}}.held_back IS
  'Fragments that were tried without a result, for functions that run with the rights of a client: '
  'they must wait until not_before, and leave suspects alone.';
GRANT SELECT ON {{schema}}.held_back TO {{client_role}}, {{cron_role}};
