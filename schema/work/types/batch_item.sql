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

COMMENT ON TYPE partitioncache.batch_item IS 'A claimed fragment. queue_datatype: what the client said. datatype: what the partition holds (NULL when the partition is new). known: its status is already ok. retried: it has a row in attempt.';
