CREATE OR REPLACE FUNCTION {{schema}}.key_of_all(p_queue_ids integer[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN min(queue.partition_key) = max(queue.partition_key)
              THEN min(queue.partition_key) END
  FROM unnest(p_queue_ids) AS claimed (id)
  JOIN {{fragment_queue}} AS queue ON queue.id = claimed.id
$$;
COMMENT ON FUNCTION {{schema}}.key_of_all IS
  'The partition key of these fragments, or NULL when they have several.';
REVOKE ALL ON FUNCTION {{schema}}.key_of_all FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.key_of_all TO {{cron_role}};
