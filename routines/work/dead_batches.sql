CREATE OR REPLACE FUNCTION {{schema}}.dead_batches(p_own_lock_key integer) RETURNS bigint[]
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  -- A run that has just taken a slot asks before it claims anything, so every batch of that slot is
  -- dead, even if the run's backend was given the pid of a dead one.
  SELECT array_agg(batch_id)
  FROM (SELECT batch_id
        FROM {{schema}}.batch
        WHERE lock_key = p_own_lock_key OR NOT {{schema}}.run_is_alive(pid, lock_key)
        FOR UPDATE SKIP LOCKED) AS dead
$$;
COMMENT ON FUNCTION {{schema}}.dead_batches IS
  'Locks and returns the batches whose runs are gone, and all batches with p_own_lock_key (a slot '
  'that the caller has just taken, or NULL).';
REVOKE ALL ON FUNCTION {{schema}}.dead_batches FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.dead_batches TO {{cron_role}};
