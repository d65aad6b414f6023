-- Which fragments a run takes next: highest priority first, and oldest first within one priority.
-- Before that, though, come the partition keys that have fewer slots than others.
-- The queue is never sorted, and a run does not read again what it has left behind. Only the
-- remains of settled fragments lie there, and vacuum cannot remove them as long as any
-- transaction in the database may still see them.
-- docs/processor.md, "Claim".

--! routine lock_claimable
CREATE OR REPLACE FUNCTION {{schema}}.lock_claimable(
  p_after_priority integer, p_after_id integer, p_limit integer, p_except integer[],
  p_partition_key text DEFAULT NULL
) RETURNS integer[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- Use the index whatever the statistics say, or if there are none yet: reading or sorting the whole
-- queue is never right here.
SET enable_seqscan = off
-- Where there is no other plan, what is switched off above counts as so costly that PostgreSQL
-- would compile it.
SET jit = off
AS $$
DECLARE
  v_backoff interval := (
    SELECT make_interval(secs => retry_backoff_seconds) FROM {{schema}}.service);
  -- Each is one stretch of the index on (priority DESC, id): what has come in above this priority,
  -- the rest of this priority, and what is below it.
  v_stretches text[] := CASE
    -- As a range, so that only the index on (priority, partition_key, id) has the rows in order.
    -- The other one may begin with a million fragments of other keys.
    WHEN p_partition_key IS NOT NULL THEN ARRAY[
      'queue.priority = $1 AND queue.partition_key >= $6 AND queue.partition_key <= $6']
    WHEN p_after_id IS NULL THEN ARRAY['true']
    ELSE ARRAY[
      'queue.priority > $1',
      'queue.priority = $1 AND queue.id > $2',
      'queue.priority < $1']
  END;
  v_order text := CASE
    WHEN p_partition_key IS NULL THEN 'queue.priority DESC, queue.id'
    ELSE 'queue.partition_key, queue.id'
  END;
  v_stretch text;
  v_found integer[];
  v_locked integer[] := '{}';
BEGIN
  FOREACH v_stretch IN ARRAY v_stretches LOOP
    EXECUTE format($claimable$
      SELECT array_agg(id ORDER BY priority DESC, id)
      FROM (SELECT queue.id, queue.priority
            FROM %1$s AS queue
            WHERE %2$s
              AND queue.id NOT IN (SELECT unnest(queue_ids) FROM %3$I.claims)
              AND queue.id <> ALL ($5)
              AND NOT EXISTS (SELECT FROM %3$I.held_back
                              WHERE held_back.query_hash = queue.hash
                                AND held_back.partition_key = queue.partition_key
                                AND (held_back.suspect OR held_back.not_before > now())
                              OFFSET 0) -- one lookup by key each, never a join with all of them
              AND NOT EXISTS (SELECT FROM %4$s AS known
                              WHERE known.query_hash = queue.hash
                                AND known.partition_key = queue.partition_key
                                AND known.status <> 'ok'
                                AND known.last_seen > now()::timestamp - $4
                              OFFSET 0)
            ORDER BY %5$s
            LIMIT $3
            FOR UPDATE OF queue SKIP LOCKED) AS claimable
    $claimable$, {{fragment_queue:literal}}, v_stretch, {{schema:literal}}, {{queries:literal}},
                          v_order)
      INTO v_found
      USING p_after_priority, p_after_id, p_limit - cardinality(v_locked), v_backoff, p_except,
            p_partition_key;
    v_locked := v_locked || coalesce(v_found, '{}');
    EXIT WHEN cardinality(v_locked) >= p_limit;
  END LOOP;
  RETURN v_locked;
END
$$;
COMMENT ON FUNCTION {{schema}}.lock_claimable IS
  'Locks up to p_limit queued fragments that may be claimed now and returns their queue ids in the '
  'order in which they are due: those after (p_after_priority, p_after_id), and those that have '
  'come in above that priority. NULL starts at the head. p_except is left out. With '
  'p_partition_key: those of that key and of p_after_priority.';
REVOKE ALL ON FUNCTION {{schema}}.lock_claimable FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.lock_claimable TO {{cron_role}}, {{client_role}};
--! end

--! routine lock_unclaimed
CREATE OR REPLACE FUNCTION {{schema}}.lock_unclaimed(
  p_after_priority integer, p_after_id integer, p_limit integer, p_except integer[],
  p_partition_key text DEFAULT NULL
) RETURNS integer[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_after_id integer := p_after_id;
  v_locked integer[];
  v_free integer[];
BEGIN
  LOOP
    v_locked := {{schema}}.lock_claimable(
      p_after_priority, v_after_id, p_limit, p_except, p_partition_key);
    -- Another run may have claimed some of them after we read the claims and before we had the
    -- locks. Now that they are locked, it cannot.
    SELECT array_agg(id ORDER BY place) INTO v_free
    FROM unnest(v_locked) WITH ORDINALITY AS locked (id, place)
    WHERE id NOT IN (SELECT unnest(queue_ids) FROM {{schema}}.claims);
    EXIT WHEN v_free IS NOT NULL;
    CONTINUE WHEN cardinality(v_locked) > 0;
    -- Nothing is left after this place, but something may have been put back before it.
    EXIT WHEN v_after_id IS NULL;
    v_after_id := NULL;
  END LOOP;
  RETURN v_free;
END
$$;
COMMENT ON FUNCTION {{schema}}.lock_unclaimed IS
  'Locks up to p_limit fragments that no run has claimed, and returns their queue ids: those due '
  'next after (p_after_priority, p_after_id), as lock_claimable finds them, or from the head of '
  'the queue when there are none. Returns NULL when there are none at all.';
REVOKE ALL ON FUNCTION {{schema}}.lock_unclaimed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.lock_unclaimed TO {{cron_role}}, {{client_role}};
--! end

--! routine key_of_all
CREATE OR REPLACE FUNCTION {{schema}}.key_of_all(p_queue_ids integer[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN min(queue.partition_key) = max(queue.partition_key)
              THEN min(queue.partition_key) END
  FROM unnest(p_queue_ids) AS claimed (id)
  JOIN {{fragment_queue}} AS queue ON queue.id = claimed.id
$$;
COMMENT ON FUNCTION {{schema}}.key_of_all IS
  'The partition key of these fragments, or NULL when they have several.';
REVOKE ALL ON FUNCTION {{schema}}.key_of_all FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.key_of_all TO {{cron_role}};
--! end

--! routine insert_batch
CREATE OR REPLACE FUNCTION {{schema}}.insert_batch(
  p_lock_key integer, p_queue_ids integer[], p_alone boolean
) RETURNS {{schema}}.batch
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO {{schema}}.batch (lock_key, pid, queue_ids, alone, partition_key)
  SELECT p_lock_key, pg_backend_pid(), p_queue_ids, p_alone, {{schema}}.key_of_all(p_queue_ids)
  ON CONFLICT (alone) WHERE alone DO NOTHING
  RETURNING *
$$;
COMMENT ON FUNCTION {{schema}}.insert_batch IS
  'Claims these fragments for the run in that slot. Returns NULL when the fragment is to be tried '
  'alone and another run is already trying one.';
REVOKE ALL ON FUNCTION {{schema}}.insert_batch FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.insert_batch TO {{cron_role}};
--! end

--! routine claim_suspect
CREATE OR REPLACE FUNCTION {{schema}}.claim_suspect(p_lock_key integer) RETURNS {{schema}}.batch
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_queue_id integer;
BEGIN
  -- The least tried one comes first, so that the culprit is found and no other fragment is blamed
  -- twice.
  SELECT queue.id INTO v_queue_id
  FROM {{schema}}.attempt
  JOIN {{fragment_queue}} AS queue
    ON queue.hash = attempt.query_hash AND queue.partition_key = attempt.partition_key
  WHERE attempt.suspect AND attempt.not_before <= now()
    AND NOT EXISTS (SELECT FROM {{schema}}.batch WHERE alone)
  ORDER BY attempt.attempts, queue.id
  LIMIT 1
  FOR UPDATE OF queue SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  RETURN {{schema}}.insert_batch(p_lock_key, ARRAY[v_queue_id], true);
END
$$;
COMMENT ON FUNCTION {{schema}}.claim_suspect IS
  'Claims one fragment with which a run died. Returns NULL when there is none, or while another '
  'run is trying one.';
REVOKE ALL ON FUNCTION {{schema}}.claim_suspect FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.claim_suspect TO {{cron_role}};
--! end

--! routine claim_batch
CREATE OR REPLACE FUNCTION {{schema}}.claim_batch(
  p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer
) RETURNS {{schema}}.batch
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_queue_ids integer[] :=
    {{schema}}.lock_unclaimed(p_after_priority, p_after_id, p_limit, '{}');
BEGIN
  IF v_queue_ids IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN {{schema}}.insert_batch(p_lock_key, v_queue_ids, false);
END
$$;
COMMENT ON FUNCTION {{schema}}.claim_batch IS
  'Claims up to p_limit fragments for the run that holds p_lock_key: those due next after '
  '(p_after_priority, p_after_id), or from the head of the queue when there are none. Returns NULL '
  'when there are none at all.';
REVOKE ALL ON FUNCTION {{schema}}.claim_batch FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.claim_batch TO {{cron_role}};
--! end

--! routine slots_by_key
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
--! end

--! routine next_priority
CREATE OR REPLACE FUNCTION {{schema}}.next_priority(p_below integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- One look at one place of the index on (priority DESC, id), whatever the statistics said
-- when the plan was made: the queue may have grown to a million since.
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
SET jit = off
AS $$
DECLARE
  v_priority integer;
BEGIN
  IF p_below IS NULL THEN
    SELECT priority INTO v_priority FROM {{fragment_queue}} ORDER BY priority DESC, id LIMIT 1;
  ELSE
    SELECT priority INTO v_priority
    FROM {{fragment_queue}} WHERE priority < p_below ORDER BY priority DESC, id LIMIT 1;
  END IF;
  RETURN v_priority;
END
$$;
COMMENT ON FUNCTION {{schema}}.next_priority IS
  'The highest priority in the queue below p_below; NULL: of all. NULL when there is none.';
REVOKE ALL ON FUNCTION {{schema}}.next_priority FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.next_priority TO {{cron_role}};
--! end

--! routine next_key
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
--! end

--! routine lock_of_other_keys
CREATE OR REPLACE FUNCTION {{schema}}.lock_of_other_keys(
  p_busy text[], p_after_key text, p_limit integer
) RETURNS integer[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_priority integer;
  v_stretch record;
  v_key text;
  v_locked integer[] := '{}';
BEGIN
  LOOP
    v_priority := {{schema}}.next_priority(v_priority);
    EXIT WHEN v_priority IS NULL;
    -- The stretches between the busy keys, so that none of their rows is read, not even the remains
    -- of settled ones. From p_after_key on, and then all round.
    FOR v_stretch IN
      SELECT above, (SELECT min(busy) FROM unnest(p_busy) AS busy WHERE busy > above) AS below
      FROM (SELECT 1 AS turn, p_after_key AS above
            UNION ALL
            SELECT CASE WHEN busy > p_after_key THEN 2 ELSE 3 END, busy
            FROM unnest(p_busy || ''::text) AS busy) AS start
      ORDER BY turn, above
    LOOP
      v_key := v_stretch.above;
      LOOP
        v_key := {{schema}}.next_key(v_priority, v_key, v_stretch.below);
        EXIT WHEN v_key IS NULL;
        v_locked := v_locked || coalesce({{schema}}.lock_unclaimed(
          v_priority, NULL, p_limit - cardinality(v_locked), v_locked, v_key), '{}');
        IF cardinality(v_locked) >= p_limit THEN
          RETURN v_locked;
        END IF;
      END LOOP;
    END LOOP;
  END LOOP;
  RETURN v_locked;
END
$$;
COMMENT ON FUNCTION {{schema}}.lock_of_other_keys IS
  'Locks up to p_limit fragments of other partition keys than p_busy and returns their queue ids: '
  'by priority, and within one priority key by key, beginning with the one that follows '
  'p_after_key. An empty array when there are none.';
REVOKE ALL ON FUNCTION {{schema}}.lock_of_other_keys FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.lock_of_other_keys TO {{cron_role}};
--! end

--! routine claim_out_of_turn
CREATE OR REPLACE FUNCTION {{schema}}.claim_out_of_turn(
  p_lock_key integer, p_limit integer, p_last_key text
) RETURNS {{schema}}.batch
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_busy text[];
  v_queue_ids integer[];
BEGIN
  -- A client may have made the queue anew, without the index that this needs.
  IF NOT EXISTS (
    SELECT FROM pg_index
    JOIN pg_attribute ON attrelid = indrelid AND attname = 'partition_key' AND attnum = indkey[1]
    WHERE indrelid = to_regclass({{fragment_queue:literal}}) AND indisvalid AND indnatts = 3)
  THEN
    RETURN NULL;
  END IF;
  -- First the keys of which no other slot has a batch, then those of which one has, and so on. Not
  -- the keys with most: what comes next in the queue may as well be theirs.
  FOR v_busy IN
    SELECT array_agg(key.partition_key) FILTER (WHERE key.slots > fewer.slots)
    FROM {{schema}}.slots_by_key(p_lock_key) AS key,
         (SELECT 0 AS slots UNION SELECT slots FROM {{schema}}.slots_by_key(p_lock_key)) AS fewer
    GROUP BY fewer.slots
    HAVING fewer.slots < max(key.slots)
    ORDER BY fewer.slots
  LOOP
    v_queue_ids := {{schema}}.lock_of_other_keys(v_busy, coalesce(p_last_key, ''), p_limit);
    IF v_queue_ids <> '{}' THEN
      RETURN {{schema}}.insert_batch(p_lock_key, v_queue_ids, false);
    END IF;
  END LOOP;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION {{schema}}.claim_out_of_turn IS
  'Claims up to p_limit fragments of the partition keys that have fewest slots, so that one with '
  'many or slow fragments does not keep the slots from the others. p_last_key: of which this slot '
  'had a batch last; the key after it is the next. Returns NULL when no key has fewer slots than '
  'another.';
REVOKE ALL ON FUNCTION {{schema}}.claim_out_of_turn FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.claim_out_of_turn TO {{cron_role}};
--! end

--! routine items_of
CREATE OR REPLACE FUNCTION {{schema}}.items_of(p_queue_ids integer[])
RETURNS {{schema}}.batch_item[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT array_agg(
    ROW(queue.id, queue.hash, queue.partition_key, queue.partition_datatype, queue.query,
        metadata.datatype,
        known.query_hash IS NOT NULL, held_back.query_hash IS NOT NULL)::{{schema}}.batch_item
    ORDER BY place)
  FROM unnest(p_queue_ids) WITH ORDINALITY AS claimed (id, place)
  JOIN {{fragment_queue}} AS queue ON queue.id = claimed.id
  LEFT JOIN {{partition_metadata}} AS metadata ON metadata.partition_key = queue.partition_key
  LEFT JOIN {{queries}} AS known
    ON known.query_hash = queue.hash AND known.partition_key = queue.partition_key
      AND known.status = 'ok'
  LEFT JOIN {{schema}}.held_back
    ON held_back.query_hash = queue.hash AND held_back.partition_key = queue.partition_key
$$;
COMMENT ON FUNCTION {{schema}}.items_of IS
  'What a run has to know about the claimed fragments, in the order given.';
REVOKE ALL ON FUNCTION {{schema}}.items_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.items_of TO {{cron_role}}, {{client_role}};
--! end
