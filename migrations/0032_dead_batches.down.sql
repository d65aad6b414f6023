DROP FUNCTION {{schema}}.release_dead_batches(integer);
DROP FUNCTION {{schema}}.suspect_of(bigint[]);
DROP FUNCTION {{schema}}.dead_batches(integer);
