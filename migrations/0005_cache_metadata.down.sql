--! drops partition_metadata queries
-- The cache tables are dropped with the metadata that lists them. What is under the name of one and
-- is not ours stays: whoever made it there must not decide whether this can be rolled back.
DO $drop$
DECLARE
  cache_table text;
BEGIN
  IF pg_catalog.to_regclass({{partition_metadata:literal}}) IS NULL THEN
    RETURN;
  END IF;
  PERFORM {{schema}}.hold_own_tables('rewrite', {{partition_metadata:literal}});
  FOR cache_table IN
    SELECT name FROM {{schema}}.cache_tables() WHERE why_not IS NULL
  LOOP
    EXECUTE pg_catalog.format('DROP TABLE %I.%I', {{client_schema:literal}}, cache_table);
  END LOOP;
END
$drop$;
DROP FUNCTION {{schema}}.cache_tables;
DROP TABLE IF EXISTS {{queries}};
DROP TABLE IF EXISTS {{partition_metadata}};
