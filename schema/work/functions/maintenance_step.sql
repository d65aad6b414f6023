CREATE FUNCTION partitioncache.maintenance_step(p_step integer, p_after_id integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF p_step > 5 THEN
    IF "partitioncache".is_held() THEN
      RETURN p_after_id;
    END IF;
  END IF;
  CASE p_step
    WHEN 1, 2, 3, 4 THEN
      IF EXISTS (SELECT FROM "partitioncache".batch) THEN
        CASE p_step
          WHEN 1 THEN PERFORM "partitioncache".cancel_overdue();
          WHEN 2 THEN PERFORM "partitioncache".release_results();
          WHEN 3 THEN PERFORM "partitioncache".share_waiting();
          WHEN 4 THEN PERFORM "partitioncache".release_dead_batches();
        END CASE;
      END IF;
    WHEN 5 THEN
      IF "partitioncache".has_runs() THEN
        PERFORM "partitioncache".publish_running();
      END IF;
    WHEN 6 THEN PERFORM "partitioncache".delete_old_log(1000);
    WHEN 7 THEN RETURN "partitioncache".delete_cached_duplicates(p_after_id, 5000);
    WHEN 8 THEN
      -- At the end of the queue.
      IF p_after_id = 0 AND EXISTS (SELECT FROM "partitioncache".attempt) THEN
        PERFORM "partitioncache".delete_idle_attempts();
      END IF;
  END CASE;
  RETURN p_after_id;
END
$$;

COMMENT ON FUNCTION partitioncache.maintenance_step(p_step integer, p_after_id integer) IS 'One of the eight steps of a look of maintenance, each for a transaction of its own. p_after_id: where to go on in the queue; returns where to go on the next time.';

REVOKE ALL ON FUNCTION partitioncache.maintenance_step(p_step integer, p_after_id integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.maintenance_step(p_step integer, p_after_id integer) TO cron_role;
