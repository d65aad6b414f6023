-- Which fragments a run takes next: highest priority first, and oldest first within one priority.
-- The queue is never sorted, and a run does not read again what it has left behind. Only the
-- remains of settled fragments lie there, and vacuum cannot remove them as long as any
-- transaction in the database may still see them.
-- docs/processor.md, "Claim".

--! routine lock_claimable
CREATE OR REPLACE FUNCTION {{schema}}.lock_claimable(
  p_after_priority integer, p_after_id integer, p_limit integer, p_except integer[]
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
    WHEN p_after_id IS NULL THEN ARRAY['true']
    ELSE ARRAY[
      'queue.priority > $1',
      'queue.priority = $1 AND queue.id > $2',
      'queue.priority < $1']
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
            ORDER BY queue.priority DESC, queue.id
            LIMIT $3
            FOR UPDATE OF queue SKIP LOCKED) AS claimable
    $claimable$, {{fragment_queue:literal}}, v_stretch, {{schema:literal}}, {{queries:literal}})
      INTO v_found
      USING p_after_priority, p_after_id, p_limit - cardinality(v_locked), v_backoff, p_except;
    v_locked := v_locked || coalesce(v_found, '{}');
    EXIT WHEN cardinality(v_locked) >= p_limit;
  END LOOP;
  RETURN v_locked;
END
$$;
COMMENT ON FUNCTION {{schema}}.lock_claimable IS
  'Locks up to p_limit queued fragments that may be claimed now and returns their queue ids in the '
  'order in which they are due: those after (p_after_priority, p_after_id), and those that have '
  'come in above that priority. NULL starts at the head. p_except is left out.';
REVOKE ALL ON FUNCTION {{schema}}.lock_claimable FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.lock_claimable TO {{cron_role}}, {{client_role}};
--! end

--! routine lock_unclaimed
CREATE OR REPLACE FUNCTION {{schema}}.lock_unclaimed(
  p_after_priority integer, p_after_id integer, p_limit integer, p_except integer[]
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
    v_locked := {{schema}}.lock_claimable(p_after_priority, v_after_id, p_limit, p_except);
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

--! routine insert_batch
CREATE OR REPLACE FUNCTION {{schema}}.insert_batch(
  p_lock_key integer, p_queue_ids integer[], p_alone boolean
) RETURNS {{schema}}.batch
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO {{schema}}.batch (lock_key, pid, queue_ids, alone)
  VALUES (p_lock_key, pg_backend_pid(), p_queue_ids, p_alone)
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
