CREATE OR REPLACE FUNCTION {{schema}}.next_priority(p_below integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- One look at one place of the index on (priority DESC, id), whatever the statistics said
-- when the plan was made: the queue may have grown to a million since.
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
SET jit = off
AS $$
DECLARE
  v_priority integer;
BEGIN
  IF p_below IS NULL THEN
    SELECT priority INTO v_priority FROM {{fragment_queue}} ORDER BY priority DESC, id LIMIT 1;
  ELSE
    SELECT priority INTO v_priority
    FROM {{fragment_queue}} WHERE priority < p_below ORDER BY priority DESC, id LIMIT 1;
  END IF;
  RETURN v_priority;
END
$$;
COMMENT ON FUNCTION {{schema}}.next_priority IS
  'The highest priority in the queue below p_below; NULL: of all. NULL when there is none.';
REVOKE ALL ON FUNCTION {{schema}}.next_priority FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.next_priority TO {{cron_role}};
