DROP FUNCTION {{schema}}.retry_fragments(text[], text[], text, boolean);
