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
