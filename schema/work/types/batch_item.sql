CREATE TYPE partitioncache.batch_item AS (
	queue_id integer,
	query_hash text,
	partition_key text,
	queue_datatype text,
	query text,
	datatype text,
	known boolean,
	retried boolean
);

COMMENT ON TYPE partitioncache.batch_item IS 'A claimed fragment. queue_datatype is what the client said, datatype what the partition holds (NULL when it is new); known: its status is ok already; retried: it has a row in attempt.';
