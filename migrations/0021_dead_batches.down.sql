DROP FUNCTION {{schema}}.release_dead_batches;
DROP FUNCTION {{schema}}.suspect_of;
DROP FUNCTION {{schema}}.dead_batches;
