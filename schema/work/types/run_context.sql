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

COMMENT ON TYPE partitioncache.run_context IS 'What a run knows about itself. source: cron or manual, for the log. own_session: the run commits, its session holds no lock but the slot''s, and its role has the rights on our tables. Within a client''s transaction it is false, and lock_key, batch_id and claimed_at are NULL. batch_id, claimed_at: those of the batch that it is working on.';
