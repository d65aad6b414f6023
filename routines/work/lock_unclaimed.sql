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
