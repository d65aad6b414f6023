CREATE TABLE partitioncache.hold (
    holder text NOT NULL,
    reason text NOT NULL,
    held_by text DEFAULT SESSION_USER NOT NULL,
    host text,
    since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    pid integer,
    CONSTRAINT hold_holder_check CHECK ((holder = ANY (ARRAY['pause'::text, 'up'::text, 'down'::text, 'mode'::text, 'adopt'::text])))
);

COMMENT ON TABLE partitioncache.hold IS 'Who keeps processing from going on, and why; the configuration of the processors stays as it is. Advisory locks whose first key is this table say which sessions are at it: second key 0, a session that holds; 1, a run of maintenance; 2, a run by hand in somebody''s transaction; 3, a run that is just beginning.';

COMMENT ON COLUMN partitioncache.hold.host IS 'Where it was typed.';

COMMENT ON COLUMN partitioncache.hold.pid IS 'The session with which the hold ends; NULL: it stands until it is released.';

ALTER TABLE ONLY partitioncache.hold
    ADD CONSTRAINT hold_pkey PRIMARY KEY (holder);

GRANT SELECT ON TABLE partitioncache.hold TO cron_role;
