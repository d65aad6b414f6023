CREATE OR REPLACE VIEW {{schema}}.claims AS
  SELECT batch.batch_id, batch.lock_key, slot.job_name, slot.slot, batch.pid, batch.queue_ids,
         batch.claimed_at
  FROM {{schema}}.batch
  LEFT JOIN {{schema}}.slot ON slot.lock_key = batch.lock_key;
COMMENT ON VIEW {{schema}}.claims IS
  'What the runs have claimed, for functions that run with the rights of a client: they must leave '
  'it alone, and cannot change it.';
GRANT SELECT ON {{schema}}.claims TO {{client_role}}, {{cron_role}};
