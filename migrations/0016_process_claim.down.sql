DROP FUNCTION {{schema}}.process_claim(integer, text, text);
DROP FUNCTION {{schema}}.is_cached(text, text);
DROP FUNCTION {{schema}}.evaluate_and_store({{schema}}.claim, integer, integer);
