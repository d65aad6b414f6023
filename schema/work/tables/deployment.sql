CREATE TABLE partitioncache.deployment (
    only_row boolean DEFAULT true NOT NULL,
    work_database text NOT NULL,
    client_schema text NOT NULL,
    queue_prefix text NOT NULL,
    table_prefix text NOT NULL,
    cache_backend text NOT NULL,
    cron_schema text NOT NULL,
    cron_role text NOT NULL,
    client_role text NOT NULL,
    fragment_role text,
    transport text DEFAULT 'deploy'::text NOT NULL,
    pg_cron_version text,
    CONSTRAINT deployment_cache_backend_check CHECK ((cache_backend = ANY (ARRAY['array'::text, 'bit'::text, 'roaringbit'::text]))),
    CONSTRAINT deployment_only_row_check CHECK (only_row),
    CONSTRAINT deployment_transport_check CHECK ((transport = ANY (ARRAY['deploy'::text, 'direct'::text, 'link'::text])))
);

COMMENT ON TABLE partitioncache.deployment IS 'The deployment to which this schema belongs (one row). Written by pcache-migrate; do not edit it by hand.';

COMMENT ON COLUMN partitioncache.deployment.fragment_role IS 'The role whose rights fragments have; NULL: those of whoever runs the processor. set_fragment_role changes it.';

COMMENT ON COLUMN partitioncache.deployment.transport IS 'How a change of the processor configuration reaches pg_cron. deploy: pcache-migrate sync applies it; direct: the sync_cron trigger calls pg_cron in this database; link: the trigger calls it over dblink.';

COMMENT ON COLUMN partitioncache.deployment.pg_cron_version IS 'Version of the extension pg_cron when the cron stream was last deployed; NULL before that. It decides whether a schedule can be given in seconds (1.5 and later).';

ALTER TABLE ONLY partitioncache.deployment
    ADD CONSTRAINT deployment_pkey PRIMARY KEY (only_row);

GRANT SELECT ON TABLE partitioncache.deployment TO cron_role;
