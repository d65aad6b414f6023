CREATE TYPE partitioncache.run_step AS (
	finished boolean,
	wait_seconds double precision,
	items partitioncache.batch_item[],
	context partitioncache.run_context,
	next_due timestamp with time zone,
	wanted integer,
	after_priority integer,
	after_id integer
);

COMMENT ON TYPE partitioncache.run_step IS 'What a run does next: end, sleep for wait_seconds, or process these items. next_due, wanted, after_priority and after_id are for the step after it: when to look at the queue again, how many items were asked for, and where in the queue they end.';
