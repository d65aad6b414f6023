CREATE TABLE partitioncache.batch (
    batch_id bigint NOT NULL,
    lock_key integer NOT NULL,
    pid integer NOT NULL,
    queue_ids integer[] NOT NULL,
    partition_key text,
    alone boolean NOT NULL,
    held_up boolean DEFAULT false NOT NULL,
    cancelled_at timestamp with time zone,
    claimed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE partitioncache.batch IS 'The fragments that runs have claimed. A batch is flushed to disk before its first fragment is touched, and deleted when the run claims the next one. It outlives a crash and so tells which fragments may have caused it.';

COMMENT ON COLUMN partitioncache.batch.lock_key IS 'The slot of the run.';

COMMENT ON COLUMN partitioncache.batch.queue_ids IS 'The claimed fragments. Those already settled are no longer in the queue.';

COMMENT ON COLUMN partitioncache.batch.partition_key IS 'The partition key of all of them, for which the slot counts; NULL when they have several.';

COMMENT ON COLUMN partitioncache.batch.alone IS 'Whether it is one fragment with which a run died before, taken alone to find out whether it is the cause.';

COMMENT ON COLUMN partitioncache.batch.held_up IS 'Whether maintenance has cancelled a fragment of it because results that were ready had to wait for it.';

COMMENT ON COLUMN partitioncache.batch.cancelled_at IS 'When maintenance first cancelled the fragment that the run was at, because it was overdue or held up results. A run that goes on for ten seconds after that is terminated.';

ALTER TABLE partitioncache.batch ALTER COLUMN batch_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME partitioncache.batch_batch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY partitioncache.batch
    ADD CONSTRAINT batch_pkey PRIMARY KEY (batch_id);

CREATE UNIQUE INDEX batch_alone_idx ON partitioncache.batch USING btree (alone) WHERE alone;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE partitioncache.batch TO cron_role;
