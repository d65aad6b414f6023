CREATE TABLE partitioncache.slot (
    lock_key integer NOT NULL,
    job_name text NOT NULL,
    slot integer NOT NULL,
    next_due timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT slot_slot_check CHECK ((slot >= 0))
);

COMMENT ON TABLE partitioncache.slot IS 'The slots in which processors run. A run holds the advisory lock (oid of our schema, lock_key) for as long as it lasts. Slot 0 is for runs by hand.';

COMMENT ON COLUMN partitioncache.slot.next_due IS 'When the slot is to look at the queue again. This implements frequencies that no cron schedule can express.';

ALTER TABLE partitioncache.slot ALTER COLUMN lock_key ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME partitioncache.slot_lock_key_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY partitioncache.slot
    ADD CONSTRAINT slot_job_name_slot_key UNIQUE (job_name, slot);

ALTER TABLE ONLY partitioncache.slot
    ADD CONSTRAINT slot_pkey PRIMARY KEY (lock_key);

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE partitioncache.slot TO cron_role;
