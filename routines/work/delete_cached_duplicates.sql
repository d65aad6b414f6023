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
