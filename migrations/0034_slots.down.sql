DROP FUNCTION {{schema}}.close_slot(integer);
DROP FUNCTION {{schema}}.open_manual_slot(text);
DROP FUNCTION {{schema}}.open_slot(text, integer);
