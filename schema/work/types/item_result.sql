CREATE TYPE partitioncache.item_result AS (
	item partitioncache.batch_item,
	outcome text,
	error text,
	started_at timestamp with time zone,
	ended_at timestamp with time zone,
	result_type oid,
	bigint_keys bigint[],
	numeric_keys numeric[],
	text_keys text[],
	timestamp_keys timestamp without time zone[],
	rows_found integer
);

COMMENT ON TYPE partitioncache.item_result IS 'What became of a fragment. outcome: ok, limit, skipped, failed, timeout, put_back, or too_narrow (not ended: its bit cache must be widened first). result_type: that of the array in which PostgreSQL collected its keys. The keys are distinct, ascending and without NULL, in the array of their datatype; NULL when there are none.';
