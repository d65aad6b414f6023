CREATE FUNCTION partitioncache.delete_cached_of(p_partition_key text, p_queue_ids integer[]) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '100ms'
    AS $_$
DECLARE
  v_cache text := format(
    '%I.%I', 'public', "partitioncache".cache_table_name(p_partition_key));
  v_locked integer[];
  v_deleted integer;
BEGIN
  IF to_regclass(v_cache) IS NULL THEN
    RETURN 0;
  END IF;
  PERFORM "partitioncache".hold_own_tables('read', v_cache);
  PERFORM "partitioncache".hold_own_tables('write', '"public"."partitioncache_queue_query_fragment_queue"');
  -- Two statements: the second must see that a set is missing if it was evicted, and its fragment
  -- queued again, before the row was locked.
  SELECT array_agg(id) INTO v_locked
  FROM (
    SELECT id
    FROM "public"."partitioncache_queue_query_fragment_queue"
    WHERE id = ANY (p_queue_ids)
    ORDER BY id
    FOR UPDATE SKIP LOCKED
  ) AS queue;
  -- Status ok is not enough: a set that has been evicted since is queued because it is missing.
  EXECUTE format(
    'DELETE FROM %s AS queue USING %s AS cache '
    'WHERE queue.id = ANY ($1) AND cache.query_hash = queue.hash',
    '"public"."partitioncache_queue_query_fragment_queue"', v_cache)
    USING v_locked;
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
EXCEPTION
  WHEN lock_not_available OR undefined_table OR wrong_object_type THEN
    -- Somebody is emptying, dropping or recreating the cache table, or it is not
    -- ours. Leave it to the next look:
    -- while this run waited for that, or once it had ended with an error, nobody would enforce
    -- timeouts.
    RETURN 0;
END
$_$;

COMMENT ON FUNCTION partitioncache.delete_cached_of(p_partition_key text, p_queue_ids integer[]) IS 'Deletes those of the queued fragments p_queue_ids of a partition key that are in its cache table, unless that table is locked. Returns how many.';

REVOKE ALL ON FUNCTION partitioncache.delete_cached_of(p_partition_key text, p_queue_ids integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.delete_cached_of(p_partition_key text, p_queue_ids integer[]) TO cron_role;
