DROP FUNCTION {{schema}}.store_partition({{schema}}.item_result[], integer);
DROP FUNCTION {{schema}}.keys_expression(text, text, integer);
DROP FUNCTION {{schema}}.fit_to_bits({{schema}}.item_result, text, integer);
DROP FUNCTION {{schema}}.bits_needed({{schema}}.item_result);
DROP FUNCTION {{schema}}.provide_cache_table({{schema}}.item_result, integer);
