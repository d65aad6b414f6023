-- The clients' enqueue functions, with the names, parameters and results of their contract. They are shared
-- by all deployments of the database and take the queue table by name; nothing of ours calls them.
-- "Non-blocking" means: a row somebody else holds is skipped and said to be, never waited for.

CREATE OR REPLACE FUNCTION {{client_schema}}.non_blocking_fragment_queue_upsert(
  p_hash text, p_partition_key text, p_partition_datatype text, p_query text,
  p_priority integer DEFAULT 1, p_queue_table text DEFAULT 'partitioncache_fragmentqueue'
) RETURNS text
LANGUAGE plpgsql
SET search_path = {{client_schema}}
AS $$
DECLARE
  v_id integer;
BEGIN
  EXECUTE format('SELECT id FROM %I WHERE hash = $1 AND partition_key = $2 FOR UPDATE SKIP LOCKED', p_queue_table)
    INTO v_id USING p_hash, p_partition_key;
  IF v_id IS NOT NULL THEN
    EXECUTE format('UPDATE %I SET priority = greatest(priority + 1, $2), updated_at = now() WHERE id = $1', p_queue_table)
      USING v_id, p_priority;
    RETURN 'updated';
  END IF;
  EXECUTE format(
    'INSERT INTO %I (hash, partition_key, partition_datatype, query, priority) VALUES ($1, $2, $3, $4, $5) '
    'ON CONFLICT (hash, partition_key) DO NOTHING RETURNING id', p_queue_table)
    INTO v_id USING p_hash, p_partition_key, p_partition_datatype, p_query, p_priority;
  RETURN CASE WHEN v_id IS NULL THEN 'skipped_locked' ELSE 'inserted' END;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.non_blocking_fragment_queue_upsert(text, text, text, text, integer, text) IS
  'Queues a fragment, or raises its priority when it is queued: inserted, updated, or skipped_locked when another session holds it. '
  'Clients'' contract.';

CREATE OR REPLACE FUNCTION {{client_schema}}.non_blocking_original_queue_upsert(
  p_query text, p_partition_key text, p_partition_datatype text,
  p_priority integer DEFAULT 1, p_queue_table text DEFAULT 'partitioncache_originalqueue'
) RETURNS text
LANGUAGE plpgsql
SET search_path = {{client_schema}}
AS $$
DECLARE
  v_id integer;
BEGIN
  EXECUTE format('SELECT id FROM %I WHERE query = $1 AND partition_key = $2 FOR UPDATE SKIP LOCKED', p_queue_table)
    INTO v_id USING p_query, p_partition_key;
  IF v_id IS NOT NULL THEN
    EXECUTE format('UPDATE %I SET priority = greatest(priority + 1, $2), updated_at = now() WHERE id = $1', p_queue_table)
      USING v_id, p_priority;
    RETURN 'updated';
  END IF;
  EXECUTE format(
    'INSERT INTO %I (query, partition_key, partition_datatype, priority) VALUES ($1, $2, $3, $4) '
    'ON CONFLICT (query, partition_key) DO NOTHING RETURNING id', p_queue_table)
    INTO v_id USING p_query, p_partition_key, p_partition_datatype, p_priority;
  RETURN CASE WHEN v_id IS NULL THEN 'skipped_locked' ELSE 'inserted' END;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.non_blocking_original_queue_upsert(text, text, text, integer, text) IS
  'Queues a whole query, or raises its priority when it is queued: inserted, updated, or skipped_locked. Clients'' contract.';

CREATE OR REPLACE FUNCTION {{client_schema}}.non_blocking_fragment_queue_batch_upsert(
  p_hashes text[], p_partition_keys text[], p_partition_datatypes text[], p_queries text[],
  p_priorities integer[] DEFAULT NULL, p_queue_table text DEFAULT 'partitioncache_fragmentqueue'
) RETURNS TABLE (idx integer, hash text, partition_key text, status text)
LANGUAGE plpgsql
SET search_path = {{client_schema}}
AS $$
#variable_conflict use_column
DECLARE
  v_count integer := coalesce(cardinality(p_hashes), 0);
BEGIN
  IF coalesce(cardinality(p_partition_keys), 0) <> v_count OR coalesce(cardinality(p_queries), 0) <> v_count
     OR coalesce(cardinality(p_partition_datatypes), 0) <> v_count
     OR (p_priorities IS NOT NULL AND cardinality(p_priorities) <> v_count) THEN
    RAISE EXCEPTION 'all arrays must have the length of p_hashes (%): p_partition_keys has %, p_partition_datatypes %, p_queries %, p_priorities %',
      v_count, cardinality(p_partition_keys), cardinality(p_partition_datatypes), cardinality(p_queries), cardinality(p_priorities)
      USING ERRCODE = 'array_subscript_error';
  END IF;
  -- Set-based: lock what is there and free, raise it, insert what is missing; what is neither is locked.
  RETURN QUERY EXECUTE format($batch$
    WITH given AS (
      SELECT item.position::integer AS position, item.hash, item.partition_key, item.datatype, item.query,
             coalesce(item.priority, 1) AS priority
      FROM unnest($1, $2, $3, $4, coalesce($5, array_fill(1, ARRAY[cardinality($1)]))) WITH ORDINALITY
        AS item (hash, partition_key, datatype, query, priority, position)
    ),
    wanted AS (
      SELECT DISTINCT ON (hash, partition_key) * FROM given ORDER BY hash, partition_key, priority DESC, position
    ),
    free AS (
      SELECT queue.id, wanted.priority
      FROM %1$I AS queue JOIN wanted ON queue.hash = wanted.hash AND queue.partition_key = wanted.partition_key
      ORDER BY queue.id
      FOR UPDATE OF queue SKIP LOCKED
    ),
    updated AS (
      UPDATE %1$I AS queue SET priority = greatest(queue.priority + 1, free.priority), updated_at = now()
      FROM free WHERE queue.id = free.id
      RETURNING queue.hash, queue.partition_key
    ),
    inserted AS (
      INSERT INTO %1$I AS queue (hash, partition_key, partition_datatype, query, priority)
      SELECT hash, partition_key, datatype, query, priority FROM wanted ORDER BY position
      ON CONFLICT (hash, partition_key) DO NOTHING
      RETURNING queue.hash, queue.partition_key
    )
    SELECT given.position, given.hash, given.partition_key,
           CASE WHEN inserted.hash IS NOT NULL THEN 'inserted'
                WHEN updated.hash IS NOT NULL THEN 'updated'
                ELSE 'skipped_locked' END
    FROM given
    LEFT JOIN inserted ON inserted.hash = given.hash AND inserted.partition_key = given.partition_key
    LEFT JOIN updated ON updated.hash = given.hash AND updated.partition_key = given.partition_key
    ORDER BY given.position
  $batch$, p_queue_table)
  USING p_hashes, p_partition_keys, p_partition_datatypes, p_queries, p_priorities;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.non_blocking_fragment_queue_batch_upsert(text[], text[], text[], text[], integer[], text) IS
  'Queues many fragments in one statement; one row for each, idx from 1, status as non_blocking_fragment_queue_upsert. '
  'Raises 2202E when the arrays differ in length. Clients'' contract.';

CREATE OR REPLACE FUNCTION {{client_schema}}.non_blocking_fragment_queue_batch_upsert(
  p_hashes text[], p_partition_keys text[], p_partition_datatypes text[], p_queries text[]
) RETURNS TABLE (idx integer, hash text, partition_key text, status text)
LANGUAGE sql
SET search_path = {{client_schema}}
AS $$
  SELECT * FROM non_blocking_fragment_queue_batch_upsert(
    p_hashes, p_partition_keys, p_partition_datatypes, p_queries, NULL::integer[], 'partitioncache_fragmentqueue'::text)
$$;
COMMENT ON FUNCTION {{client_schema}}.non_blocking_fragment_queue_batch_upsert(text[], text[], text[], text[]) IS
  'As the function with six parameters, with priority 1 and the default queue table. Clients'' contract.';
