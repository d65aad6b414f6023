-- Configuration, log and display of running work, as the clients' contract defines them.

CREATE TABLE {{processor_config}} (
  job_name            text PRIMARY KEY,
  enabled             boolean NOT NULL DEFAULT false,
  max_parallel_jobs   integer NOT NULL DEFAULT 5 CHECK (max_parallel_jobs BETWEEN 1 AND 20),
  frequency_seconds   integer NOT NULL DEFAULT 1 CHECK (frequency_seconds > 0),
  timeout_seconds     integer NOT NULL DEFAULT 1800 CHECK (timeout_seconds > 0),
  stale_after_seconds integer NOT NULL DEFAULT 3600,
  table_prefix        text NOT NULL,
  queue_prefix        text NOT NULL,
  cache_backend       text NOT NULL,
  target_database     text NOT NULL,
  result_limit        integer CHECK (result_limit > 0),
  default_bitsize     integer CHECK (default_bitsize > 0),
  job_ids             bigint[] DEFAULT '{}',
  updated_at          timestamp DEFAULT now()
);
COMMENT ON TABLE {{processor_config}} IS
  'The processors of this queue. Runs read their row between batches, the watchdog reads the '
  'timeout once a second: a change takes effect within about a second.';

CREATE TABLE {{processor_log}} (
  id                serial PRIMARY KEY,
  job_id            text NOT NULL,
  query_hash        text NOT NULL,
  partition_key     text NOT NULL,
  status            text NOT NULL
    CHECK (status IN ('started', 'success', 'failed', 'timeout', 'skipped')),
  error_message     text,
  rows_affected     integer,
  execution_time_ms numeric(10, 3),
  execution_source  text CHECK (execution_source IN ('cron', 'manual', 'unknown')),
  created_at        timestamp DEFAULT now()
);
COMMENT ON TABLE {{processor_log}} IS
  'One row for each settled fragment, and one (started) for each attempt within a client''s '
  'transaction that ended without a result. execution_time_ms holds 9,999,999.999 for anything '
  'longer.';
CREATE INDEX ON {{processor_log}} (created_at);

CREATE TABLE {{active_jobs}} (
  query_hash         text,
  partition_key      text,
  job_id             text NOT NULL,
  pid                integer,
  started_at         timestamp,
  query              text NOT NULL,
  partition_datatype text,
  PRIMARY KEY (query_hash, partition_key)
);
COMMENT ON TABLE {{active_jobs}} IS
  'The fragments that are being processed right now, for display. '
  'The claims themselves are in our own schema.';

GRANT SELECT, INSERT, UPDATE, DELETE ON {{processor_config}}, {{processor_log}}, {{active_jobs}}
  TO {{client_role}}, {{cron_role}};
DO $grant$
BEGIN
  EXECUTE pg_catalog.format(
    'GRANT USAGE, SELECT ON SEQUENCE %s TO %I, %I',
    pg_catalog.pg_get_serial_sequence({{processor_log:regclass}}::text, 'id'),
    {{cron_role:literal}}, {{client_role:literal}});
END
$grant$;

DO $index$
BEGIN
  -- Failures are few, and are looked for in a hurry: without this
  -- index, that would read the log of a whole day.
  EXECUTE pg_catalog.format(
    'CREATE INDEX %I ON %I.%I (created_at) WHERE status IN (''failed'', ''timeout'')',
    {{queue_prefix:literal}} || '_processor_failures',
    {{client_schema:literal}}, {{queue_prefix:literal}} || '_processor_log');
END
$index$;
