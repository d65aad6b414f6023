-- The two queues of the clients' contract. Clients add rows and raise priorities; the processor
-- removes rows. A client may drop and recreate these tables without anything extra, so we add no
-- column to them: claims and attempts live in tables of our own schema.

CREATE TABLE {{original_queue}} (
  id                 serial PRIMARY KEY,
  query              text NOT NULL,
  partition_key      text NOT NULL,
  partition_datatype text,
  priority           integer NOT NULL DEFAULT 1,
  created_at         timestamp DEFAULT now(),
  updated_at         timestamp DEFAULT now(),
  UNIQUE (query, partition_key)
);
COMMENT ON TABLE {{original_queue}} IS
  'Whole queries that wait for a PartitionCache client to split them into fragments.';

CREATE TABLE {{fragment_queue}} (
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
COMMENT ON TABLE {{fragment_queue}} IS
  'Query fragments that wait for the processor. Each becomes a set '
  'of partition keys in the cache.';

-- Batches are claimed by highest priority, and by age within one priority. With an index in this
-- order, a claim reads its head and never sorts the queue.
CREATE INDEX ON {{fragment_queue}} (priority DESC, id);
CREATE INDEX ON {{original_queue}} (priority DESC, id);
-- What a slot takes out of turn: which keys there are, and the next fragments of one.
CREATE INDEX ON {{fragment_queue}} (priority, partition_key, id);

GRANT SELECT, INSERT, UPDATE, DELETE ON {{original_queue}}, {{fragment_queue}}
  TO {{cron_role}}, {{client_role}};
DO $grant$
DECLARE
  queue regclass;
BEGIN
  FOREACH queue IN ARRAY ARRAY[{{original_queue:regclass}}, {{fragment_queue:regclass}}] LOOP
    EXECUTE pg_catalog.format(
      'GRANT USAGE, SELECT ON SEQUENCE %s TO %I, %I',
      pg_catalog.pg_get_serial_sequence(queue::text, 'id'),
      {{cron_role:literal}}, {{client_role:literal}});
  END LOOP;
END
$grant$;

--! routine notify_queue
CREATE OR REPLACE FUNCTION {{schema}}.notify_queue() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM pg_notify(TG_ARGV[0], '');
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION {{schema}}.notify_queue IS
  'Trigger function: notifies the channel named by its first argument that a queue has work.';
REVOKE ALL ON FUNCTION {{schema}}.notify_queue FROM PUBLIC;
--! end

-- Clients that wait for work LISTEN on these channels. One notification per statement is enough:
-- a listener reads the queue anyway, and PostgreSQL merges equal notifications of a transaction.
CREATE TRIGGER pcache_notify
  AFTER INSERT OR UPDATE ON {{original_queue}}
  FOR EACH STATEMENT EXECUTE FUNCTION {{schema}}.notify_queue('original_query_available');

CREATE TRIGGER pcache_notify
  AFTER INSERT OR UPDATE ON {{fragment_queue}}
  FOR EACH STATEMENT EXECUTE FUNCTION {{schema}}.notify_queue('query_fragment_available');
