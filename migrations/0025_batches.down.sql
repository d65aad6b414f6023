DROP TYPE {{schema}}.item_result;
DROP TYPE {{schema}}.run_context;
DROP TYPE {{schema}}.batch_item;
COMMENT ON COLUMN {{schema}}.settings.max_attempts IS
  'After how many runs that died while working on a fragment it is set aside as failed.';
COMMENT ON COLUMN {{schema}}.settings.batch_size IS
  'How many fragments a run claims at once.';
UPDATE {{schema}}.settings SET batch_size = 50 WHERE batch_size = 1000;
ALTER TABLE {{schema}}.settings ALTER COLUMN batch_size SET DEFAULT 50;
-- An attempt counts only what it was before: fragments that are suspects and nothing else are free again.
DELETE FROM {{schema}}.attempt WHERE attempts = 0;
ALTER TABLE {{schema}}.attempt DROP COLUMN suspect;
DELETE FROM {{active_jobs}};
DROP TABLE {{schema}}.batch;

CREATE TABLE {{schema}}.claim (
  queue_id           integer PRIMARY KEY,
  query_hash         text NOT NULL,
  partition_key      text NOT NULL,
  partition_datatype text,
  query              text NOT NULL,
  lock_key           integer NOT NULL,
  pid                integer NOT NULL,
  started_at         timestamptz,
  UNIQUE (query_hash, partition_key)
);
COMMENT ON TABLE {{schema}}.claim IS
  'Fragments claimed by a run. started_at is NULL until the run turns to the fragment.';
GRANT SELECT, INSERT, UPDATE, DELETE ON {{schema}}.claim TO {{cron_role}}, {{client_role}};
