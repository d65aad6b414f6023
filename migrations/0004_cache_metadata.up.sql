-- The cache's own records: which partition keys there are, and how each known fragment ended. The
-- cache tables themselves (one per partition key) are created when a partition is first used.

CREATE TABLE {{partition_metadata}} (
  partition_key text PRIMARY KEY,
  datatype      text NOT NULL,
  created_at    timestamp DEFAULT now()
);
COMMENT ON TABLE {{partition_metadata}} IS
  'The partition keys that have a cache table, and the datatype of their keys.';

CREATE TABLE {{queries}} (
  query_hash    text NOT NULL,
  partition_key text NOT NULL,
  query         text NOT NULL,
  status        text NOT NULL DEFAULT 'ok' CHECK (status IN ('ok', 'timeout', 'failed', 'limit')),
  last_seen     timestamp NOT NULL DEFAULT now(),
  PRIMARY KEY (query_hash, partition_key)
);
COMMENT ON TABLE {{queries}} IS
  'How each known fragment ended: ok (its set is in the cache), timeout, '
  'failed, or limit (more keys than result_limit).';

DO $backend$
BEGIN
  IF {{cache_backend:literal}} = 'array' THEN
    ALTER TABLE {{partition_metadata}}
      ADD CHECK (datatype IN ('integer', 'float', 'text', 'timestamp'));
  ELSE
    ALTER TABLE {{partition_metadata}} ADD CHECK (datatype = 'integer');
  END IF;
  IF {{cache_backend:literal}} = 'bit' THEN
    ALTER TABLE {{partition_metadata}}
      ADD COLUMN bitsize integer NOT NULL CHECK (bitsize BETWEEN 1 AND 83886080);
  END IF;
END
$backend$;

GRANT SELECT, INSERT, UPDATE, DELETE ON {{partition_metadata}}, {{queries}}
  TO {{cron_role}}, {{client_role}};
