CREATE OR REPLACE FUNCTION {{schema}}.items_of(p_queue_ids integer[])
RETURNS {{schema}}.batch_item[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT array_agg(
    ROW(queue.id, queue.hash, queue.partition_key, queue.partition_datatype, queue.query,
        metadata.datatype,
        known.query_hash IS NOT NULL, held_back.query_hash IS NOT NULL)::{{schema}}.batch_item
    ORDER BY place)
  FROM unnest(p_queue_ids) WITH ORDINALITY AS claimed (id, place)
  JOIN {{fragment_queue}} AS queue ON queue.id = claimed.id
  LEFT JOIN {{partition_metadata}} AS metadata ON metadata.partition_key = queue.partition_key
  LEFT JOIN {{queries}} AS known
    ON known.query_hash = queue.hash AND known.partition_key = queue.partition_key
      AND known.status = 'ok'
  LEFT JOIN {{schema}}.held_back
    ON held_back.query_hash = queue.hash AND held_back.partition_key = queue.partition_key
$$;
COMMENT ON FUNCTION {{schema}}.items_of IS
  'What a run has to know about the claimed fragments, in the order given.';
REVOKE ALL ON FUNCTION {{schema}}.items_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.items_of TO {{cron_role}}, {{client_role}};
