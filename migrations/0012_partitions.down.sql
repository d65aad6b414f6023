DROP TRIGGER IF EXISTS pcache_widen ON {{partition_metadata}};
DROP FUNCTION {{schema}}.widen_bit_cache();
DROP FUNCTION {{schema}}.alter_bit_cache(text, integer);
DROP FUNCTION {{schema}}.set_bits_expression();
DROP FUNCTION {{schema}}.bootstrap_partition(text, text, integer, text);
DROP FUNCTION {{schema}}.roaringbitmap_schema();
DROP FUNCTION {{schema}}.cache_table_name(text);
