-- Who works on what. A claim is committed before its fragment is touched and deleted in the transaction
-- that settles it, so after any crash a fragment is either still queued or settled, never both.

CREATE TABLE {{schema}}.slot (
  lock_key  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_name  text NOT NULL,
  slot      integer NOT NULL CHECK (slot >= 0),
  next_due  timestamptz NOT NULL DEFAULT '-infinity',
  UNIQUE (job_name, slot)
);
COMMENT ON TABLE {{schema}}.slot IS
  'The slots in which processors run. A run holds the advisory lock (oid of our schema, lock_key) for as long as it lasts; '
  'slot 0 is for runs by hand.';
COMMENT ON COLUMN {{schema}}.slot.next_due IS
  'When the slot shall look at the queue again: how frequencies that no cron schedule expresses are kept.';

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

CREATE TABLE {{schema}}.attempt (
  query_hash    text,
  partition_key text,
  attempts      integer NOT NULL,
  not_before    timestamptz NOT NULL,
  last_error    text NOT NULL,
  PRIMARY KEY (query_hash, partition_key)
);
COMMENT ON TABLE {{schema}}.attempt IS
  'Queued fragments whose last attempt ended without a result: how often, why, and when the next one is due.';

GRANT SELECT, INSERT, UPDATE, DELETE ON {{schema}}.slot, {{schema}}.claim, {{schema}}.attempt TO {{cron_role}}, {{client_role}};
