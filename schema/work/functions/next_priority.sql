CREATE FUNCTION partitioncache.next_priority(p_below integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_sort TO 'off'
    SET jit TO 'off'
    AS $$
DECLARE
  v_priority integer;
BEGIN
  IF p_below IS NULL THEN
    SELECT priority INTO v_priority FROM "public"."partitioncache_queue_query_fragment_queue" ORDER BY priority DESC, id LIMIT 1;
  ELSE
    SELECT priority INTO v_priority
    FROM "public"."partitioncache_queue_query_fragment_queue" WHERE priority < p_below ORDER BY priority DESC, id LIMIT 1;
  END IF;
  RETURN v_priority;
END
$$;

COMMENT ON FUNCTION partitioncache.next_priority(p_below integer) IS 'The highest priority in the queue below p_below; NULL: of all. NULL when there is none.';

REVOKE ALL ON FUNCTION partitioncache.next_priority(p_below integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.next_priority(p_below integer) TO cron_role;
