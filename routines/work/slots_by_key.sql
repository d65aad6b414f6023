CREATE OR REPLACE FUNCTION {{schema}}.slots_by_key(p_but_lock_key integer)
RETURNS TABLE (partition_key text, slots integer)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- Where maintenance has cut a batch down to one fragment, that one's key counts.
  SELECT coalesce(batch.partition_key, queue.partition_key), count(*)::integer
  FROM {{schema}}.batch
  LEFT JOIN {{fragment_queue}} AS queue
    ON batch.partition_key IS NULL AND cardinality(batch.queue_ids) = 1
      AND queue.id = batch.queue_ids[1]
  WHERE batch.lock_key <> p_but_lock_key
    AND coalesce(batch.partition_key, queue.partition_key) IS NOT NULL
  GROUP BY 1
$$;
COMMENT ON FUNCTION {{schema}}.slots_by_key IS
  'How many slots, without p_but_lock_key, have a batch of this partition key alone.';
REVOKE ALL ON FUNCTION {{schema}}.slots_by_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.slots_by_key TO {{cron_role}};
