DROP FUNCTION {{schema}}.bootstrap_partition;
DROP FUNCTION {{schema}}.set_bits_expression;
DROP FUNCTION {{schema}}.roaringbitmap_schema;
DROP FUNCTION {{schema}}.cache_table_name;
