--! drops partition_metadata queries
-- The cache tables are dropped with the metadata that lists them. Where another role owns a
-- table, this one cannot drop it: that is an error, so that nothing is left behind silently.
DO $drop$
DECLARE
  cache_table text;
BEGIN
  IF pg_catalog.to_regclass({{partition_metadata:literal}}) IS NULL THEN
    RETURN;
  END IF;
  PERFORM {{schema}}.hold_own_tables('rewrite', {{partition_metadata:literal}});
  FOR cache_table IN
    SELECT {{table_prefix:literal}} || '_cache_' || partition_key
    FROM {{partition_metadata}}
    ORDER BY partition_key
  LOOP
    EXECUTE pg_catalog.format('DROP TABLE IF EXISTS %I.%I', {{client_schema:literal}}, cache_table);
  END LOOP;
END
$drop$;
DROP TABLE IF EXISTS {{queries}};
DROP TABLE IF EXISTS {{partition_metadata}};
