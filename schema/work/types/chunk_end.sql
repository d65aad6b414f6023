CREATE TYPE partitioncache.chunk_end AS (
	next_item integer,
	outcome text,
	narrow partitioncache.item_result[],
	ends_run boolean
);

COMMENT ON TYPE partitioncache.chunk_end IS 'How a chunk ended. next_item: place in the batch to go on at, NULL when the run is done with the batch; outcome of the last fragment; narrow: those whose bit cache must be widened first, NULL for none; ends_run: the run was cancelled.';
