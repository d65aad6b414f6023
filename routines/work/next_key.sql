CREATE OR REPLACE FUNCTION {{schema}}.next_key(p_priority integer, p_above text, p_below text)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- One look at one place of the index on (priority, partition_key, id), whatever the statistics said
-- when the plan was made: the queue may have grown to a million since.
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
SET jit = off
AS $$
DECLARE
  v_key text;
BEGIN
  -- With a bound that may be NULL in the same query, the index would be read to its end.
  IF p_below IS NULL THEN
    SELECT queue.partition_key INTO v_key
    FROM {{fragment_queue}} AS queue
    WHERE queue.priority = p_priority AND queue.partition_key > p_above
      AND queue.id NOT IN (
        SELECT unnest(queue_ids) FROM {{schema}}.batch WHERE partition_key IS NULL)
    ORDER BY queue.partition_key, queue.id
    LIMIT 1;
  ELSE
    SELECT queue.partition_key INTO v_key
    FROM {{fragment_queue}} AS queue
    WHERE queue.priority = p_priority
      AND queue.partition_key > p_above AND queue.partition_key < p_below
      AND queue.id NOT IN (
        SELECT unnest(queue_ids) FROM {{schema}}.batch WHERE partition_key IS NULL)
    ORDER BY queue.partition_key, queue.id
    LIMIT 1;
  END IF;
  RETURN v_key;
END
$$;
COMMENT ON FUNCTION {{schema}}.next_key IS
  'The partition key that comes next after p_above, in the order of their names, and before '
  'p_below (NULL: no bound), with fragments of this priority that are in no batch of several keys. '
  'NULL when there is none.';
REVOKE ALL ON FUNCTION {{schema}}.next_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.next_key TO {{cron_role}};
