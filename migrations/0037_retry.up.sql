-- Puts failures back into the queue. A fragment that ended without a result leaves
-- the queue for good, and one that a client queues again waits for
-- retry_backoff_seconds. With this function it is due at once.

--! routine retry_fragments
CREATE OR REPLACE FUNCTION {{schema}}.retry_fragments(
  p_statuses text[] DEFAULT '{failed,timeout}', p_hashes text[] DEFAULT NULL,
  p_partition_key text DEFAULT NULL, p_dry_run boolean DEFAULT false,
  OUT put_back bigint, OUT queued_already bigint, OUT in_use bigint, OUT unknown_hashes text[]
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_hashes text[];
  v_keys text[];
  v_new_hashes text[];
  v_new_keys text[];
  v_table text;
  v_unusable text[];
BEGIN
  IF p_statuses <@ ARRAY['failed', 'timeout', 'limit'] IS NOT TRUE THEN
    RAISE EXCEPTION 'fragments with status % cannot be retried',
      coalesce(array_to_string(p_statuses, ', ', 'NULL'), 'NULL')
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Statuses to retry are failed, timeout and limit.';
  END IF;
  PERFORM {{schema}}.hold_own_tables(
    'read', {{queries:literal}}, {{fragment_queue:literal}}, {{partition_metadata:literal}});
  unknown_hashes := ARRAY(
    SELECT DISTINCT given.hash FROM unnest(p_hashes) AS given (hash)
    WHERE NOT EXISTS (
      SELECT FROM {{queries}} AS known
      WHERE known.query_hash = given.hash AND known.status = ANY (p_statuses)
        AND (p_partition_key IS NULL OR known.partition_key = p_partition_key))
    ORDER BY given.hash);

  IF p_dry_run THEN
    SELECT count(*) - count(queue.id), count(queue.id), 0
    INTO put_back, queued_already, in_use
    FROM {{queries}} AS known
    LEFT JOIN {{fragment_queue}} AS queue
      ON queue.hash = known.query_hash AND queue.partition_key = known.partition_key
    WHERE known.status = ANY (p_statuses)
      AND (p_hashes IS NULL OR known.query_hash = ANY (p_hashes))
      AND (p_partition_key IS NULL OR known.partition_key = p_partition_key);
    RETURN;
  END IF;

  PERFORM {{schema}}.hold_own_tables('write', {{queries:literal}}, {{fragment_queue:literal}});
  -- A row that another session has locked is being settled. Waiting for it
  -- while holding others could be a deadlock.
  SELECT coalesce(array_agg(locked.query_hash), '{}'),
         coalesce(array_agg(locked.partition_key), '{}')
  INTO v_hashes, v_keys
  FROM (
    SELECT known.query_hash, known.partition_key FROM {{queries}} AS known
    WHERE known.status = ANY (p_statuses)
      AND (p_hashes IS NULL OR known.query_hash = ANY (p_hashes))
      AND (p_partition_key IS NULL OR known.partition_key = p_partition_key)
    FOR UPDATE SKIP LOCKED
  ) AS locked;

  -- This must be a separate statement: only what is visible now that the rows are locked shows
  -- which fragments are queued. A queued one may be running, and its run then needs the row that
  -- is locked here, so never wait for anything that the run may hold.
  WITH inserted AS (
    INSERT INTO {{fragment_queue}} AS queue
      (query, hash, partition_key, partition_datatype, priority)
    SELECT known.query, known.query_hash, known.partition_key, metadata.datatype, 1
    FROM unnest(v_hashes, v_keys) AS item (query_hash, partition_key)
    JOIN {{queries}} AS known USING (query_hash, partition_key)
    LEFT JOIN {{partition_metadata}} AS metadata USING (partition_key)
    WHERE NOT EXISTS (
      SELECT FROM {{fragment_queue}} AS present
      WHERE present.hash = known.query_hash AND present.partition_key = known.partition_key)
    -- In the order in which clients insert, because otherwise the two could wait for each other.
    ORDER BY known.query_hash, known.partition_key
    ON CONFLICT (hash, partition_key) DO NOTHING
    RETURNING queue.hash, queue.partition_key
  )
  SELECT count(*), array_agg(hash), array_agg(partition_key)
  INTO put_back, v_new_hashes, v_new_keys
  FROM inserted;
  queued_already := cardinality(v_hashes) - put_back;

  -- The cache says "of no use" for a fragment that exceeded the limit. Nothing would evict that
  -- once its row in the queries' table is gone.
  FOR v_table, v_unusable IN
    SELECT cache.oid::regclass, array_agg(known.query_hash)
    FROM unnest(v_new_hashes, v_new_keys) AS item (query_hash, partition_key)
    JOIN {{queries}} AS known USING (query_hash, partition_key)
    JOIN pg_class AS cache
      ON cache.relname = {{table_prefix:literal}} || '_cache_' || known.partition_key
      AND cache.relnamespace = quote_ident({{client_schema:literal}})::regnamespace
    WHERE known.status = 'limit'
    GROUP BY cache.oid
  LOOP
    PERFORM {{schema}}.hold_own_tables('write', v_table);
    EXECUTE format(
      'DELETE FROM %s WHERE query_hash = ANY ($1) AND partition_keys IS NULL', v_table)
      USING v_unusable;
  END LOOP;

  -- A client has no rights on attempts: what it retries may have to wait for a few seconds.
  IF has_table_privilege(quote_ident({{schema:literal}}) || '.attempt', 'DELETE') THEN
    DELETE FROM {{schema}}.attempt AS failed USING (
      SELECT attempt.query_hash, attempt.partition_key
      FROM {{schema}}.attempt
      JOIN unnest(v_hashes, v_keys) AS item (query_hash, partition_key)
        USING (query_hash, partition_key)
      FOR UPDATE OF attempt SKIP LOCKED
    ) AS free
    WHERE failed.query_hash = free.query_hash AND failed.partition_key = free.partition_key;
  END IF;
  DELETE FROM {{queries}} AS known
  USING unnest(v_hashes, v_keys) AS item (query_hash, partition_key)
  WHERE known.query_hash = item.query_hash AND known.partition_key = item.partition_key;

  SELECT count(*) INTO in_use FROM {{queries}} AS known
  WHERE known.status = ANY (p_statuses)
    AND (p_hashes IS NULL OR known.query_hash = ANY (p_hashes))
    AND (p_partition_key IS NULL OR known.partition_key = p_partition_key);
END
$$;
COMMENT ON FUNCTION {{schema}}.retry_fragments IS
  'Puts fragments whose status is one of p_statuses (failed, timeout, limit) back into the queue, '
  'due at once; only those of p_hashes and p_partition_key unless these are NULL. Forgets their '
  'status, and for limit also the NULL in the cache. put_back: how many were queued. '
  'queued_already: how many were in the queue already, and no longer wait (called by a client: but '
  'for a few seconds after a conflict). in_use: how many were '
  'left alone because another session holds them. unknown_hashes: those of p_hashes that no such '
  'fragment has. With p_dry_run it changes nothing. Raises 22023 for other statuses.';
REVOKE ALL ON FUNCTION {{schema}}.retry_fragments FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.retry_fragments TO {{client_role}};
--! end
