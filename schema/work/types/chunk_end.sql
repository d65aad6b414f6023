CREATE TYPE partitioncache.chunk_end AS (
	next_item integer,
	outcome text,
	narrow partitioncache.item_result[],
	ends_run boolean
);

COMMENT ON TYPE partitioncache.chunk_end IS 'How a chunk ended. next_item: the place in the batch at which to go on, NULL when the run is done with the batch. outcome: that of the last fragment. narrow: the fragments whose bit cache must be widened first, NULL for none. ends_run: the run was cancelled.';
