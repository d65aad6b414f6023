DROP FUNCTION {{schema}}.store_partition;
DROP FUNCTION {{schema}}.keys_expression;
DROP FUNCTION {{schema}}.fit_to_bits;
DROP FUNCTION {{schema}}.bits_needed;
DROP FUNCTION {{schema}}.provide_cache_table;
DROP FUNCTION {{schema}}.is_cached;
DROP FUNCTION {{schema}}.hold_caches;
