DROP FUNCTION {{schema}}.store_unusable(text, text);
DROP FUNCTION {{schema}}.widen_partition(text, integer);
DROP FUNCTION {{schema}}.store_keys(text, text, {{schema}}.key_set);
DROP FUNCTION {{schema}}.key_bits(bigint[], integer);
