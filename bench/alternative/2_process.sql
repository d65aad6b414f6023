-- THE ALTERNATIVE (our own reconstruction, see 1_tables.sql): one item per call. It
-- sorts the whole queue for each item, shows the item in a table in which nobody else
-- ever sees it, and resolves every table name at run time.

CREATE FUNCTION alternative.dequeue() RETURNS alternative.fragment_queue
LANGUAGE plpgsql AS $$
DECLARE
  v_item alternative.fragment_queue;
BEGIN
  EXECUTE format(
    'DELETE FROM %1$s WHERE id = (SELECT queue.id FROM %1$s AS queue '
    'WHERE NOT EXISTS (SELECT FROM %2$s AS active '
    'WHERE active.query_hash = queue.hash AND active.partition_key = queue.partition_key) '
    'ORDER BY queue.priority DESC, queue.created_at, queue.id '
    'LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *',
    'alternative.fragment_queue', 'alternative.active_jobs') INTO v_item;
  RETURN v_item;
END
$$;

CREATE FUNCTION alternative.process_one() RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  v_started timestamptz := clock_timestamp();
  v_item alternative.fragment_queue := alternative.dequeue();
  v_cached boolean;
  v_rows integer;
BEGIN
  IF v_item.id IS NULL THEN
    RETURN 'empty';
  END IF;
  EXECUTE format(
    'SELECT EXISTS (SELECT FROM %s WHERE query_hash = $1 AND partition_key = $2)',
    'alternative.queries')
    INTO v_cached USING v_item.hash, v_item.partition_key;
  IF v_cached THEN
    RETURN 'skipped';
  END IF;
  IF v_item.query LIKE '%DELETE %' OR v_item.query LIKE '%DROP %' THEN
    RETURN 'failed';
  END IF;
  EXECUTE format(
    'INSERT INTO %s '
    '(query_hash, partition_key, job_id, pid, started_at, query, partition_datatype) '
    'VALUES ($1, $2, $3, $4, now(), $5, $6)',
    'alternative.active_jobs')
    USING v_item.hash, v_item.partition_key, 'alternative', pg_backend_pid(),
          v_item.query, v_item.partition_datatype;
  EXECUTE format(
    'INSERT INTO %s (job_id, query_hash, partition_key, status, execution_source) '
    'VALUES ($1, $2, $3, ''started'', ''cron'')',
    'alternative.processor_log') USING 'alternative', v_item.hash, v_item.partition_key;
  BEGIN
    EXECUTE format(
      'INSERT INTO %1$s (query_hash, partition_keys) '
      'SELECT $1, ARRAY(SELECT fragment.%2$I FROM (%3$s) AS fragment) '
      'ON CONFLICT (query_hash) DO UPDATE SET partition_keys = EXCLUDED.partition_keys',
      'alternative.cache_' || v_item.partition_key, v_item.partition_key, v_item.query)
      USING v_item.hash;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    EXECUTE format(
      'INSERT INTO %s (query_hash, partition_key, query, status) VALUES ($1, $2, $3, ''ok'') '
      'ON CONFLICT (query_hash, partition_key) DO UPDATE SET last_seen = now()',
      'alternative.queries')
      USING v_item.hash, v_item.partition_key, v_item.query;
    EXECUTE format(
      'INSERT INTO %s (job_id, query_hash, partition_key, status, '
      'rows_affected, execution_time_ms, execution_source) '
      'VALUES ($1, $2, $3, ''success'', $4, $5, ''cron'')',
      'alternative.processor_log')
      USING 'alternative', v_item.hash, v_item.partition_key, v_rows,
            extract(epoch FROM clock_timestamp() - v_started) * 1000;
  EXCEPTION WHEN OTHERS THEN
    EXECUTE format(
      'INSERT INTO %s (job_id, query_hash, partition_key, status, error_message) '
      'VALUES ($1, $2, $3, ''failed'', $4)',
      'alternative.processor_log') USING 'alternative', v_item.hash, v_item.partition_key, SQLERRM;
  END;
  EXECUTE format(
    'DELETE FROM %s WHERE query_hash = $1 AND partition_key = $2', 'alternative.active_jobs')
    USING v_item.hash, v_item.partition_key;
  RETURN 'ok';
END
$$;

CREATE FUNCTION alternative.process_many(p_count integer) RETURNS integer
LANGUAGE plpgsql AS $$
BEGIN
  FOR v_done IN 0 .. p_count - 1 LOOP
    IF alternative.process_one() = 'empty' THEN
      RETURN v_done;
    END IF;
  END LOOP;
  RETURN p_count;
END
$$;
