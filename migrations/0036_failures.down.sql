DROP VIEW {{schema}}.known_fragments;
DROP FUNCTION {{schema}}.known_fragment_rows;
DROP VIEW {{schema}}.failures;
DROP FUNCTION {{schema}}.failures_within;
