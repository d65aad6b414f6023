DROP FUNCTION {{schema}}.key_bits(bigint[], integer);
DROP FUNCTION {{schema}}.dense_key_bits(bigint[], integer);
DROP FUNCTION {{schema}}.sparse_key_bits(bigint[], integer);
