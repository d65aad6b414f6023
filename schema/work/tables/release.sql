CREATE TABLE partitioncache.release (
    number integer NOT NULL,
    package_version text NOT NULL,
    plan_hash text,
    label text,
    role name DEFAULT SESSION_USER NOT NULL,
    host text NOT NULL,
    program text NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    outcome text DEFAULT 'unfinished'::text NOT NULL,
    error text,
    work_migrations text[] DEFAULT '{}'::text[] NOT NULL,
    cron_migrations text[] DEFAULT '{}'::text[] NOT NULL,
    undone_at timestamp with time zone,
    undone_by name,
    CONSTRAINT release_check CHECK (((outcome = 'unfinished'::text) = (finished_at IS NULL))),
    CONSTRAINT release_number_check CHECK ((number > 0)),
    CONSTRAINT release_outcome_check CHECK ((outcome = ANY (ARRAY['unfinished'::text, 'done'::text, 'failed'::text])))
);

COMMENT ON TABLE partitioncache.release IS 'The releases: each run of pcache-migrate up that changed something, and each that failed.';

COMMENT ON COLUMN partitioncache.release.number IS 'Counted from 1.';

COMMENT ON COLUMN partitioncache.release.plan_hash IS 'The hash of the plan that was run, as pcache-migrate plan shows it.';

COMMENT ON COLUMN partitioncache.release.label IS 'Where the release comes from, such as a commit or the address of a job: PCACHE_RELEASE_NOTE, or what the CI says of itself.';

COMMENT ON COLUMN partitioncache.release.host IS 'The host that pcache-migrate ran on.';

COMMENT ON COLUMN partitioncache.release.program IS 'The program that ran it, with its version.';

COMMENT ON COLUMN partitioncache.release.outcome IS 'unfinished: under way, or its client was lost; the next up goes on where it stopped.';

COMMENT ON COLUMN partitioncache.release.work_migrations IS 'What it applied in the work database, in that order; stays when the release is undone.';

COMMENT ON COLUMN partitioncache.release.cron_migrations IS 'Likewise in the pg_cron database.';

COMMENT ON COLUMN partitioncache.release.undone_at IS 'When pcache-migrate down took back the last of its migrations.';

ALTER TABLE ONLY partitioncache.release
    ADD CONSTRAINT release_pkey PRIMARY KEY (number);
