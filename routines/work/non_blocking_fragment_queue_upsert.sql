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
