CREATE FUNCTION partitioncache.insert_batch(p_lock_key integer, p_queue_ids integer[], p_alone boolean) RETURNS partitioncache.batch
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  INSERT INTO "partitioncache".batch (lock_key, pid, queue_ids, alone, partition_key)
  SELECT p_lock_key, pg_backend_pid(), p_queue_ids, p_alone, "partitioncache".key_of_all(p_queue_ids)
  ON CONFLICT (alone) WHERE alone DO NOTHING
  RETURNING *
$$;

COMMENT ON FUNCTION partitioncache.insert_batch(p_lock_key integer, p_queue_ids integer[], p_alone boolean) IS 'Claims these fragments for the run in that slot. Returns NULL when the fragment is to be tried alone and another run is already trying one.';

REVOKE ALL ON FUNCTION partitioncache.insert_batch(p_lock_key integer, p_queue_ids integer[], p_alone boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.insert_batch(p_lock_key integer, p_queue_ids integer[], p_alone boolean) TO cron_role;
