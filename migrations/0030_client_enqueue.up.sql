-- The clients' enqueue functions, with the names, parameters and results of their
-- contract. All deployments of the database share them. They take the name of the
-- queue table, and nothing of ours calls them.
-- "Non-blocking" means that a row that somebody else locks, changes or deletes is not waited for:
-- it is skipped, and the result says so. So nothing is inserted over a row that can be seen,
-- because ON CONFLICT would wait for whoever changes it. They wait only while somebody else is
-- inserting the same row: if that insert comes to nothing, the row must not be missing.

--! routine non_blocking_fragment_queue_upsert
CREATE OR REPLACE FUNCTION {{client_schema}}.non_blocking_fragment_queue_upsert(
  p_hash text, p_partition_key text, p_partition_datatype text, p_query text,
  p_priority integer DEFAULT 1, p_queue_table text DEFAULT 'partitioncache_fragmentqueue'
) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_queue text := format('%I.%I', {{client_schema:literal}}, p_queue_table);
  v_id integer;
  v_status text;
BEGIN
  EXECUTE format(
    'SELECT id FROM %s WHERE hash = $1 AND partition_key = $2 FOR UPDATE SKIP LOCKED', v_queue)
    INTO v_id USING p_hash, p_partition_key;
  IF v_id IS NOT NULL THEN
    EXECUTE format(
      'UPDATE %s SET priority = greatest(least(priority, 2147483646) + 1, $2), '
      'updated_at = now() WHERE id = $1', v_queue)
      USING v_id, p_priority;
    RETURN 'updated';
  END IF;
  EXECUTE format($upsert$
    WITH present AS (
      SELECT FROM %1$s WHERE hash = $1 AND partition_key = $2
    ),
    inserted AS (
      INSERT INTO %1$s (hash, partition_key, partition_datatype, query, priority)
      SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT FROM present)
      ON CONFLICT (hash, partition_key) DO NOTHING
      RETURNING id
    )
    SELECT CASE WHEN EXISTS (SELECT FROM inserted) THEN 'inserted'
                WHEN EXISTS (SELECT FROM present) THEN 'skipped_locked'
                ELSE 'skipped_concurrent' END
  $upsert$, v_queue)
    INTO v_status
    USING p_hash, p_partition_key, p_partition_datatype, p_query, coalesce(p_priority, 1);
  RETURN v_status;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.non_blocking_fragment_queue_upsert(
  text, text, text, text, integer, text
) IS
  'Queues a fragment, or raises its priority when it is already queued. Returns inserted, updated, '
  'skipped_locked when another session holds its row, or skipped_concurrent when one has just '
  'inserted it. Clients'' contract.';
--! end

--! routine non_blocking_original_queue_upsert
CREATE OR REPLACE FUNCTION {{client_schema}}.non_blocking_original_queue_upsert(
  p_query text, p_partition_key text, p_partition_datatype text,
  p_priority integer DEFAULT 1, p_queue_table text DEFAULT 'partitioncache_originalqueue'
) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_queue text := format('%I.%I', {{client_schema:literal}}, p_queue_table);
  v_id integer;
  v_status text;
BEGIN
  EXECUTE format(
    'SELECT id FROM %s WHERE query = $1 AND partition_key = $2 FOR UPDATE SKIP LOCKED', v_queue)
    INTO v_id USING p_query, p_partition_key;
  IF v_id IS NOT NULL THEN
    EXECUTE format(
      'UPDATE %s SET priority = greatest(least(priority, 2147483646) + 1, $2), '
      'updated_at = now() WHERE id = $1', v_queue)
      USING v_id, p_priority;
    RETURN 'updated';
  END IF;
  EXECUTE format($upsert$
    WITH present AS (
      SELECT FROM %1$s WHERE query = $1 AND partition_key = $2
    ),
    inserted AS (
      INSERT INTO %1$s (query, partition_key, partition_datatype, priority)
      SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT FROM present)
      ON CONFLICT (query, partition_key) DO NOTHING
      RETURNING id
    )
    SELECT CASE WHEN EXISTS (SELECT FROM inserted) THEN 'inserted'
                WHEN EXISTS (SELECT FROM present) THEN 'skipped_locked'
                ELSE 'skipped_concurrent' END
  $upsert$, v_queue)
    INTO v_status USING p_query, p_partition_key, p_partition_datatype, coalesce(p_priority, 1);
  RETURN v_status;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.non_blocking_original_queue_upsert(
  text, text, text, integer, text
) IS
  'Queues a whole query, or raises its priority when it is already queued. Returns a status as '
  'non_blocking_fragment_queue_upsert does. Clients'' contract.';
--! end

--! routine non_blocking_fragment_queue_batch_upsert
CREATE OR REPLACE FUNCTION {{client_schema}}.non_blocking_fragment_queue_batch_upsert(
  p_hashes text[], p_partition_keys text[], p_partition_datatypes text[], p_queries text[],
  p_priorities integer[] DEFAULT NULL, p_queue_table text DEFAULT 'partitioncache_fragmentqueue'
) RETURNS TABLE (idx integer, hash text, partition_key text, status text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_count integer := coalesce(cardinality(p_hashes), 0);
BEGIN
  IF coalesce(cardinality(p_partition_keys), 0) <> v_count
     OR coalesce(cardinality(p_queries), 0) <> v_count
     OR coalesce(cardinality(p_partition_datatypes), 0) <> v_count
     OR (p_priorities IS NOT NULL AND cardinality(p_priorities) <> v_count) THEN
    RAISE EXCEPTION
      '%: p_partition_keys has %, p_partition_datatypes %, p_queries %, p_priorities %',
      format('all arrays must have the length of p_hashes (%s)', v_count),
      cardinality(p_partition_keys), cardinality(p_partition_datatypes),
      cardinality(p_queries), cardinality(p_priorities)
      USING ERRCODE = 'array_subscript_error';
  END IF;
  -- One statement for all. Batches that overlap cannot deadlock: all insert in the same order, and
  -- what follows does not wait. LATERAL looks up each row by its key: a join would read the whole
  -- queue when it has never been analyzed, since the planner then expects many rows for each key.
  -- The same mistake would trigger JIT.
  RETURN QUERY EXECUTE format($batch$
    WITH given AS (
      SELECT item.position::integer AS position, item.hash, item.partition_key, item.datatype,
             item.query, coalesce(item.priority, 1) AS priority
      FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY
        AS item (hash, partition_key, datatype, query, priority, position)
    ),
    wanted AS (
      SELECT DISTINCT ON (hash, partition_key) *
      FROM given
      ORDER BY hash, partition_key, priority DESC, position
    ),
    present AS (
      SELECT queue.id, wanted.hash, wanted.partition_key, wanted.priority
      FROM wanted CROSS JOIN LATERAL (
        SELECT id
        FROM %1$s AS queue
        WHERE queue.hash = wanted.hash AND queue.partition_key = wanted.partition_key
        LIMIT 1
      ) AS queue
    ),
    inserted AS (
      INSERT INTO %1$s AS queue (hash, partition_key, partition_datatype, query, priority)
      SELECT wanted.hash, wanted.partition_key, wanted.datatype, wanted.query, wanted.priority
      FROM wanted LEFT JOIN present USING (hash, partition_key)
      WHERE present.id IS NULL
      ORDER BY wanted.hash, wanted.partition_key
      ON CONFLICT (hash, partition_key) DO NOTHING
      RETURNING queue.hash, queue.partition_key
    ),
    free AS (
      SELECT queue.id, present.priority
      FROM present CROSS JOIN LATERAL (
        SELECT id FROM %1$s AS queue WHERE queue.id = present.id FOR UPDATE SKIP LOCKED
      ) AS queue
      WHERE (SELECT count(*) FROM inserted) >= 0 -- not before the inserts
    ),
    updated AS (
      UPDATE %1$s AS queue
      SET priority = greatest(least(queue.priority, 2147483646) + 1, free.priority),
          updated_at = now()
      FROM free WHERE queue.id = free.id
      RETURNING queue.id
    )
    SELECT given.position, given.hash, given.partition_key,
           CASE WHEN inserted.hash IS NOT NULL THEN 'inserted'
                WHEN updated.id IS NOT NULL THEN 'updated'
                WHEN present.id IS NOT NULL THEN 'skipped_locked'
                ELSE 'skipped_concurrent' END
    FROM given
    LEFT JOIN inserted
      ON inserted.hash = given.hash AND inserted.partition_key = given.partition_key
    LEFT JOIN present
      ON present.hash = given.hash AND present.partition_key = given.partition_key
    LEFT JOIN updated ON updated.id = present.id
    ORDER BY given.position
  $batch$, format('%I.%I', {{client_schema:literal}}, p_queue_table))
  USING p_hashes, p_partition_keys, p_partition_datatypes, p_queries, p_priorities;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.non_blocking_fragment_queue_batch_upsert(
  text[], text[], text[], text[], integer[], text
) IS
  'Queues many fragments in one statement. Returns one row for each: idx from 1, status as for '
  'non_blocking_fragment_queue_upsert. Raises 2202E when the arrays differ in length. '
  'Clients'' contract.';
CREATE OR REPLACE FUNCTION {{client_schema}}.non_blocking_fragment_queue_batch_upsert(
  p_hashes text[], p_partition_keys text[], p_partition_datatypes text[], p_queries text[]
) RETURNS TABLE (idx integer, hash text, partition_key text, status text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT * FROM {{client_schema}}.non_blocking_fragment_queue_batch_upsert(
    p_hashes, p_partition_keys, p_partition_datatypes, p_queries, NULL::integer[],
    'partitioncache_fragmentqueue'::text)
$$;
COMMENT ON FUNCTION {{client_schema}}.non_blocking_fragment_queue_batch_upsert(
  text[], text[], text[], text[]
) IS
  'Calls the function with six parameters, with priority 1 and the default queue table. '
  'Clients'' contract.';
--! end
