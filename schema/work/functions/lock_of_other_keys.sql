CREATE FUNCTION partitioncache.lock_of_other_keys(p_busy text[], p_after_key text, p_limit integer) RETURNS integer[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_priority integer;
  v_stretch record;
  v_key text;
  v_locked integer[] := '{}';
BEGIN
  LOOP
    v_priority := "partitioncache".next_priority(v_priority);
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
        v_key := "partitioncache".next_key(v_priority, v_key, v_stretch.below);
        EXIT WHEN v_key IS NULL;
        v_locked := v_locked || coalesce("partitioncache".lock_unclaimed(
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

COMMENT ON FUNCTION partitioncache.lock_of_other_keys(p_busy text[], p_after_key text, p_limit integer) IS 'Locks up to p_limit fragments of other partition keys than p_busy and returns their queue ids: by priority, and within one priority key by key, beginning with the one that follows p_after_key. An empty array when there are none.';

REVOKE ALL ON FUNCTION partitioncache.lock_of_other_keys(p_busy text[], p_after_key text, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.lock_of_other_keys(p_busy text[], p_after_key text, p_limit integer) TO cron_role;
