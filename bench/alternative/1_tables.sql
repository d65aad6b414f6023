-- THE ALTERNATIVE: our own reconstruction, written from the description in the table
-- "Measured on that client's own SQL" of the clients' contract. It contains no text of
-- that client. The benches compare it with ours.
--
-- The same tables as in the contract, in a schema of their own. The
-- queue has no index in the order of work.

CREATE SCHEMA alternative;
GRANT USAGE ON SCHEMA alternative TO PUBLIC;

CREATE TABLE alternative.fragment_queue (
  id                 serial PRIMARY KEY,
  query              text NOT NULL,
  hash               text NOT NULL,
  partition_key      text NOT NULL,
  partition_datatype text,
  priority           integer NOT NULL DEFAULT 1,
  created_at         timestamp DEFAULT now(),
  updated_at         timestamp DEFAULT now(),
  UNIQUE (hash, partition_key)
);

CREATE TABLE alternative.queries (
  query_hash    text NOT NULL,
  partition_key text NOT NULL,
  query         text NOT NULL,
  status        text NOT NULL DEFAULT 'ok',
  last_seen     timestamp NOT NULL DEFAULT now(),
  PRIMARY KEY (query_hash, partition_key)
);

CREATE TABLE alternative.active_jobs (
  query_hash         text,
  partition_key      text,
  job_id             text NOT NULL,
  pid                integer,
  started_at         timestamp,
  query              text NOT NULL,
  partition_datatype text,
  PRIMARY KEY (query_hash, partition_key)
);

CREATE TABLE alternative.processor_log (
  id                serial PRIMARY KEY,
  job_id            text NOT NULL,
  query_hash        text NOT NULL,
  partition_key     text NOT NULL,
  status            text NOT NULL,
  error_message     text,
  rows_affected     integer,
  execution_time_ms numeric(10, 3),
  execution_source  text,
  created_at        timestamp DEFAULT now()
);

CREATE TABLE alternative.cache_zipcode (
  query_hash           text PRIMARY KEY,
  partition_keys       integer[],
  partition_keys_count integer GENERATED ALWAYS AS (cardinality(partition_keys)) STORED
);
