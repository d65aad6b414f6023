CREATE TYPE partitioncache.run_context AS (
	job_name text,
	lock_key integer,
	source text,
	own_session boolean,
	batch_id bigint,
	claimed_at timestamp with time zone,
	result_limit integer,
	default_bitsize integer
);

COMMENT ON TYPE partitioncache.run_context IS 'What a run knows about itself. source: cron or manual, for the log. own_session: the run commits, and its session holds no lock but the slot''s; false within a client''s transaction. batch_id, claimed_at: those of the batch that it is working on.';
