DROP TRIGGER IF EXISTS pcache_widen ON {{partition_metadata}};
DROP FUNCTION {{schema}}.widen_partition;
DROP FUNCTION {{schema}}.widen_bit_cache;
DROP FUNCTION {{schema}}.alter_bit_cache;
