-- Shared with the other deployments of this database: the last one takes them along.
DO $drop$
BEGIN
  IF NOT {{schema}}.is_last_deployment() THEN
    RETURN;
  END IF;
  DROP AGGREGATE IF EXISTS {{client_schema}}.array_intersect_agg(anyarray);
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_setup_array_extensions();
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_array_intersect(anyarray, anyarray);
  -- Somebody else's index or function may use it by now: then it stays, and the report of down says so.
  IF EXISTS (SELECT FROM {{schema}}.created_extension WHERE extension_name = 'intarray') THEN
    BEGIN
      DROP EXTENSION IF EXISTS intarray;
    EXCEPTION
      WHEN dependent_objects_still_exist THEN
        RAISE NOTICE 'the extension intarray stays: other objects use it';
    END;
  END IF;
END
$drop$;
DROP TABLE {{schema}}.created_extension;
