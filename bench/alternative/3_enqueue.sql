-- THE ALTERNATIVE (our own reconstruction, see 1_tables.sql): queues a batch row by row.

CREATE FUNCTION alternative.enqueue_each(
  p_hashes text[], p_partition_keys text[], p_partition_datatypes text[], p_queries text[],
  p_queue_table text
) RETURNS TABLE (idx integer, hash text, partition_key text, status text)
LANGUAGE plpgsql AS $$
DECLARE
  v_id integer;
BEGIN
  FOR v_index IN 1 .. cardinality(p_hashes) LOOP
    idx := v_index;
    hash := p_hashes[v_index];
    partition_key := p_partition_keys[v_index];
    EXECUTE format(
      'SELECT id FROM %I WHERE hash = $1 AND partition_key = $2 FOR UPDATE SKIP LOCKED',
      p_queue_table)
      INTO v_id USING hash, partition_key;
    IF v_id IS NULL THEN
      EXECUTE format(
        'INSERT INTO %I (hash, partition_key, partition_datatype, query) '
        'VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
        p_queue_table)
        USING hash, partition_key, p_partition_datatypes[v_index], p_queries[v_index];
      status := 'inserted';
    ELSE
      EXECUTE format(
        'UPDATE %I SET priority = priority + 1, updated_at = now() WHERE id = $1', p_queue_table)
        USING v_id;
      status := 'updated';
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
