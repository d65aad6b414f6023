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
