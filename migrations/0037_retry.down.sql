DROP FUNCTION {{schema}}.retry_fragments;
