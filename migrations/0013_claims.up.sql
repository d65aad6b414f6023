-- Who works on what. A run claims a batch of fragments in one row. No row says which
-- of them it is working on: an advisory lock does, which no crash leaves behind and
-- no fragment can release. So the cost does not grow with the dead rows that a long
-- query elsewhere keeps vacuum from removing.
-- docs/processor.md has the states of a fragment and what each advisory lock means.

CREATE TABLE {{schema}}.slot (
  lock_key  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_name  text NOT NULL,
  slot      integer NOT NULL CHECK (slot >= 0),
  next_due  timestamptz NOT NULL DEFAULT '-infinity',
  UNIQUE (job_name, slot)
);
COMMENT ON TABLE {{schema}}.slot IS
  'The slots in which processors run. A run holds the advisory lock (oid of our schema, lock_key) '
  'for as long as it lasts. Slot 0 is for runs by hand.';
COMMENT ON COLUMN {{schema}}.slot.next_due IS
  'When the slot is to look at the queue again. This implements '
  'frequencies that no cron schedule can express.';

CREATE TABLE {{schema}}.attempt (
  query_hash    text,
  partition_key text,
  attempts      integer NOT NULL,
  not_before    timestamptz NOT NULL,
  last_error    text NOT NULL,
  suspect       boolean NOT NULL DEFAULT false,
  PRIMARY KEY (query_hash, partition_key)
);
COMMENT ON TABLE {{schema}}.attempt IS
  'Queued fragments whose last attempt ended without a result: how '
  'often, why, and when the next one is due.';
COMMENT ON COLUMN {{schema}}.attempt.suspect IS
  'Whether a run died while it had claimed this fragment. If so, the '
  'fragment is tried alone, before all others.';
CREATE INDEX ON {{schema}}.attempt (attempts) WHERE suspect;

CREATE TABLE {{schema}}.batch (
  batch_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  lock_key      integer NOT NULL,
  pid           integer NOT NULL,
  queue_ids     integer[] NOT NULL,
  partition_key text,
  alone         boolean NOT NULL,
  held_up       boolean NOT NULL DEFAULT false,
  cancelled_at  timestamptz,
  claimed_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE {{schema}}.batch IS
  'The fragments that runs have claimed. A batch is flushed to disk before its first '
  'fragment is touched, and deleted when the run claims the next one. It outlives a crash '
  'and so tells which fragments may have caused it.';
COMMENT ON COLUMN {{schema}}.batch.lock_key IS 'The slot of the run.';
COMMENT ON COLUMN {{schema}}.batch.queue_ids IS
  'The claimed fragments. Those already settled are no longer in the queue.';
COMMENT ON COLUMN {{schema}}.batch.partition_key IS
  'The partition key of all of them, for which the slot counts; NULL when they have several.';
COMMENT ON COLUMN {{schema}}.batch.alone IS
  'Whether it is one fragment with which a run died before, taken '
  'alone to find out whether it is the cause.';
COMMENT ON COLUMN {{schema}}.batch.held_up IS
  'Whether maintenance has cancelled a fragment of it because '
  'results that were ready had to wait for it.';
COMMENT ON COLUMN {{schema}}.batch.cancelled_at IS
  'When maintenance first cancelled the fragment that the run was at, because it was overdue or '
  'held up results. A run that goes on for ten seconds after that is terminated.';
-- One suspect at a time in the whole deployment: a crash ends all
-- runs and must be blamed on one of them.
CREATE UNIQUE INDEX ON {{schema}}.batch (alone) WHERE alone;

-- Not to clients: whoever may write here can freeze the queue. What their functions must know of
-- it they read from two views.
GRANT SELECT, INSERT, UPDATE, DELETE ON {{schema}}.slot, {{schema}}.batch, {{schema}}.attempt
  TO {{cron_role}};

--! routine claims
CREATE OR REPLACE VIEW {{schema}}.claims AS
  SELECT batch.batch_id, batch.lock_key, slot.job_name, slot.slot, batch.pid, batch.queue_ids,
         batch.claimed_at
  FROM {{schema}}.batch
  LEFT JOIN {{schema}}.slot ON slot.lock_key = batch.lock_key;
COMMENT ON VIEW {{schema}}.claims IS
  'What the runs have claimed, for functions that run with the rights of a client: they must leave '
  'it alone, and cannot change it.';
GRANT SELECT ON {{schema}}.claims TO {{client_role}}, {{cron_role}};
--! end

--! routine held_back
CREATE OR REPLACE VIEW {{schema}}.held_back AS
  SELECT attempt.query_hash, attempt.partition_key, attempt.suspect, attempt.not_before
  FROM {{schema}}.attempt;
COMMENT ON VIEW {{schema}}.held_back IS
  'Fragments that were tried without a result, for functions that run with the rights of a client: '
  'they must wait until not_before, and leave suspects alone.';
GRANT SELECT ON {{schema}}.held_back TO {{client_role}}, {{cron_role}};
--! end

CREATE TYPE {{schema}}.batch_item AS (
  queue_id       integer,
  query_hash     text,
  partition_key  text,
  queue_datatype text,
  query          text,
  datatype       text,
  known          boolean,
  retried        boolean
);
COMMENT ON TYPE {{schema}}.batch_item IS
  'A claimed fragment. queue_datatype: what the client said. datatype: what the '
  'partition holds (NULL when the partition is new). known: its status is '
  'already ok. retried: it has a row in attempt.';

CREATE TYPE {{schema}}.run_context AS (
  job_name        text,
  lock_key        integer,
  source          text,
  own_session     boolean,
  batch_id        bigint,
  claimed_at      timestamptz,
  result_limit    integer,
  default_bitsize integer
);
COMMENT ON TYPE {{schema}}.run_context IS
  'What a run knows about itself. source: cron or manual, for the log. own_session: the run '
  'commits, its session holds no lock but the slot''s, and its role has the rights on our tables. '
  'Within a client''s transaction it is false, and lock_key, batch_id and claimed_at are NULL. '
  'batch_id, claimed_at: those of the batch that it is working on.';

CREATE TYPE {{schema}}.item_result AS (
  item           {{schema}}.batch_item,
  outcome        text,
  error          text,
  started_at     timestamptz,
  ended_at       timestamptz,
  result_type    oid,
  bigint_keys    bigint[],
  numeric_keys   numeric[],
  text_keys      text[],
  timestamp_keys timestamp[],
  rows_found     integer
);
COMMENT ON TYPE {{schema}}.item_result IS
  'What became of a fragment. outcome: ok, limit, skipped, failed, timeout, put_back, or '
  'too_narrow (not ended: its bit cache must be widened first). result_type: that of the array in '
  'which PostgreSQL collected its keys. The keys are distinct, ascending and without NULL, in the '
  'array of their datatype; NULL when there are none.';
