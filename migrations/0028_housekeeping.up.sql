-- Keeps the log, the queue and the attempts small.

--! routine log_cutoff
CREATE OR REPLACE FUNCTION {{schema}}.log_cutoff() RETURNS timestamp
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT now()::timestamp - make_interval(days => log_retention_days) FROM {{schema}}.settings
$$;
COMMENT ON FUNCTION {{schema}}.log_cutoff IS
  'Log rows from before this time, in the session''s time zone as they are, are to be deleted.';
REVOKE ALL ON FUNCTION {{schema}}.log_cutoff FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.log_cutoff TO {{cron_role}};
--! end

--! routine delete_old_log
CREATE OR REPLACE FUNCTION {{schema}}.delete_old_log(p_limit integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $$
DECLARE
  v_deleted integer;
BEGIN
  PERFORM {{schema}}.hold_own_tables('write', {{processor_log:literal}});
  DELETE FROM {{processor_log}}
  WHERE id IN (
    SELECT id FROM {{processor_log}}
    WHERE created_at < {{schema}}.log_cutoff()
    ORDER BY created_at
    LIMIT p_limit);
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
EXCEPTION
  WHEN lock_not_available THEN
    -- A client has locked the whole table: leave it to the next look.
    RETURN 0;
END
$$;
COMMENT ON FUNCTION {{schema}}.delete_old_log IS
  'Deletes up to p_limit log rows that are older than log_retention_days, the oldest first. '
  'Returns how many.';
REVOKE ALL ON FUNCTION {{schema}}.delete_old_log FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.delete_old_log TO {{cron_role}};
--! end

--! routine delete_idle_attempts
CREATE OR REPLACE FUNCTION {{schema}}.delete_idle_attempts() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_deleted integer;
BEGIN
  PERFORM {{schema}}.hold_own_tables('read', {{fragment_queue:literal}});
  DELETE FROM {{schema}}.attempt
  WHERE NOT EXISTS (
    SELECT FROM {{fragment_queue}} AS queue
    WHERE queue.hash = attempt.query_hash AND queue.partition_key = attempt.partition_key);
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
EXCEPTION
  WHEN wrong_object_type THEN
    -- The queue is not ours. Each run says so; timeouts must be enforced all the same.
    RETURN 0;
END
$$;
COMMENT ON FUNCTION {{schema}}.delete_idle_attempts IS
  'Deletes the attempts of fragments that a client has removed from the queue. Returns how many.';
REVOKE ALL ON FUNCTION {{schema}}.delete_idle_attempts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.delete_idle_attempts TO {{cron_role}};
--! end

--! routine delete_cached_of
CREATE OR REPLACE FUNCTION {{schema}}.delete_cached_of(p_partition_key text, p_queue_ids integer[])
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $$
DECLARE
  v_cache text := format(
    '%I.%I', {{client_schema:literal}}, {{schema}}.cache_table_name(p_partition_key));
  v_locked integer[];
  v_deleted integer;
BEGIN
  IF to_regclass(v_cache) IS NULL THEN
    RETURN 0;
  END IF;
  PERFORM {{schema}}.hold_own_tables('read', v_cache);
  PERFORM {{schema}}.hold_own_tables('write', {{fragment_queue:literal}});
  -- Two statements: the second must see that a set is missing if it was evicted, and its fragment
  -- queued again, before the row was locked.
  SELECT array_agg(id) INTO v_locked
  FROM (
    SELECT id
    FROM {{fragment_queue}}
    WHERE id = ANY (p_queue_ids)
    ORDER BY id
    FOR UPDATE SKIP LOCKED
  ) AS queue;
  -- Status ok is not enough: a set that has been evicted since is queued because it is missing.
  EXECUTE format(
    'DELETE FROM %s AS queue USING %s AS cache '
    'WHERE queue.id = ANY ($1) AND cache.query_hash = queue.hash',
    {{fragment_queue:literal}}, v_cache)
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
$$;
COMMENT ON FUNCTION {{schema}}.delete_cached_of IS
  'Deletes those of the queued fragments p_queue_ids of a partition key that are in its cache '
  'table, unless that table is locked. Returns how many.';
REVOKE ALL ON FUNCTION {{schema}}.delete_cached_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.delete_cached_of TO {{cron_role}};
--! end

--! routine delete_cached_duplicates
CREATE OR REPLACE FUNCTION {{schema}}.delete_cached_duplicates(p_after_id integer, p_limit integer)
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_last integer;
  v_known record;
BEGIN
  PERFORM {{schema}}.hold_own_tables('read', {{fragment_queue:literal}}, {{queries:literal}});
  -- Look at one stretch of the queue at a time: all of it would take long, and most of it is not
  -- cached.
  SELECT max(id) INTO v_last
  FROM (
    SELECT id FROM {{fragment_queue}} WHERE id > p_after_id ORDER BY id LIMIT p_limit
  ) AS stretch;
  FOR v_known IN
    SELECT queue.partition_key, array_agg(queue.id) AS ids
    FROM {{fragment_queue}} AS queue
    JOIN {{queries}} AS known
      ON known.query_hash = queue.hash AND known.partition_key = queue.partition_key
        AND known.status = 'ok'
    WHERE queue.id > p_after_id AND queue.id <= v_last
      AND queue.id NOT IN (SELECT unnest(queue_ids) FROM {{schema}}.batch)
    GROUP BY queue.partition_key
  LOOP
    PERFORM {{schema}}.delete_cached_of(v_known.partition_key, v_known.ids);
  END LOOP;
  RETURN coalesce(v_last, 0);
END
$$;
COMMENT ON FUNCTION {{schema}}.delete_cached_duplicates IS
  'Deletes from the next p_limit fragments of the queue after p_after_id those that are already '
  'cached. Returns the id to go on after, or 0 at the end.';
REVOKE ALL ON FUNCTION {{schema}}.delete_cached_duplicates FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.delete_cached_duplicates TO {{cron_role}};
--! end
