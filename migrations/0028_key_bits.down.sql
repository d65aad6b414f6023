DROP FUNCTION {{schema}}.key_bits(bigint[], integer);
