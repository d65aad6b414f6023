DROP FUNCTION {{schema}}.key_bits;
DROP FUNCTION {{schema}}.dense_key_bits;
DROP FUNCTION {{schema}}.sparse_key_bits;
