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

--! routine cache_tables
-- Clients may write the metadata, so a row there makes no table ours. What decides is what only our
-- owner can make.
CREATE OR REPLACE FUNCTION {{schema}}.cache_tables(p_partition_key text DEFAULT NULL)
RETURNS TABLE (relation regclass, name name, why_not text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_owner oid := (
    SELECT relowner FROM pg_class
    WHERE relname = 'deployment'
      AND relnamespace = quote_ident({{schema:literal}})::regnamespace);
  v_schema name;
  v_other record;
  v_others text[] := '{}';
  v_prefixes text[] := '{}';
BEGIN
  FOR v_schema IN
    SELECT nspname FROM {{schema}}.deployment_schemas() AS nspname
    -- What another role deployed has another owner.
    WHERE nspname <> {{schema:literal}}
      AND (SELECT relowner FROM pg_class
           WHERE relname = 'deployment' AND relnamespace = quote_ident(nspname)::regnamespace)
        = v_owner
  LOOP
    EXECUTE format(
      'SELECT client_schema, queue_prefix, table_prefix FROM %I.deployment', v_schema) INTO v_other;
    IF v_other.client_schema = {{client_schema:literal}} THEN
      v_others := v_others || ARRAY[
        v_other.queue_prefix || '_original_query_queue',
        v_other.queue_prefix || '_query_fragment_queue',
        v_other.queue_prefix || '_processor_config',
        v_other.queue_prefix || '_processor_log',
        v_other.queue_prefix || '_active_jobs',
        v_other.table_prefix || '_partition_metadata',
        v_other.table_prefix || '_queries'];
      IF starts_with(v_other.table_prefix, {{table_prefix:literal}} || '_cache_') THEN
        v_prefixes := v_prefixes || (v_other.table_prefix || '_cache_');
      END IF;
    END IF;
  END LOOP;

  RETURN QUERY
  SELECT c.oid::regclass, c.relname, CASE
    WHEN c.relkind <> 'r' THEN 'it is no plain table'
    WHEN c.relowner <> v_owner
      THEN format('it belongs to role %I', pg_get_userbyid(c.relowner))
    WHEN c.relname = ANY (v_others)
      OR EXISTS (SELECT FROM unnest(v_prefixes) AS prefix WHERE starts_with(c.relname, prefix))
      THEN 'it belongs to another deployment'
    WHEN ARRAY(
           SELECT format('%s %s %s', attname, CASE
               WHEN attname <> 'partition_keys' THEN atttypid::regtype::text
               WHEN {{cache_backend:literal}} = 'array' AND atttypid = ANY (ARRAY[
                 'integer[]', 'bigint[]', 'numeric[]', 'text[]', 'timestamp[]']::regtype[])
                 OR {{cache_backend:literal}} = 'bit' AND atttypid = 'bit'::regtype
                 OR {{cache_backend:literal}} = 'roaringbit' AND (
                   SELECT typname FROM pg_type WHERE pg_type.oid = atttypid) = 'roaringbitmap'
                 THEN 'keys'
             END, attgenerated)
           FROM pg_attribute
           WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
           ORDER BY 1)
         <> '{"partition_keys keys ","partition_keys_count integer s","query_hash text "}'
      OR NOT EXISTS (
        SELECT FROM pg_index
        JOIN pg_attribute ON attrelid = indrelid AND attname = 'query_hash'
        WHERE indrelid = c.oid AND indisprimary AND indkey::text = attnum::text)
      THEN 'it has not the columns of a cache table'
  END
  FROM {{partition_metadata}} AS known
  JOIN pg_class AS c ON c.relname = {{table_prefix:literal}} || '_cache_' || known.partition_key
  WHERE c.relnamespace = quote_ident({{client_schema:literal}})::regnamespace
    AND (p_partition_key IS NULL OR known.partition_key = p_partition_key)
  ORDER BY c.relname;
END
$$;
COMMENT ON FUNCTION {{schema}}.cache_tables IS
  'What has the name of the cache table of a partition key, of all or of the one, and why it is '
  'not ours: NULL where it is. Hold the metadata where the answer must stay true.';
REVOKE ALL ON FUNCTION {{schema}}.cache_tables FROM PUBLIC;
--! end
