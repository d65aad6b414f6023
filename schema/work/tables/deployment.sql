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
    cron_database text,
    cron_database_before text,
    cron_database_next text,
    cron_database_left text,
    database_oid oid NOT NULL,
    system_identifier text,
    CONSTRAINT deployment_cache_backend_check CHECK ((cache_backend = ANY (ARRAY['array'::text, 'bit'::text, 'roaringbit'::text]))),
    CONSTRAINT deployment_only_row_check CHECK (only_row),
    CONSTRAINT deployment_transport_check CHECK ((transport = ANY (ARRAY['deploy'::text, 'direct'::text, 'link'::text])))
);

COMMENT ON TABLE partitioncache.deployment IS 'The deployment to which this schema belongs (one row). Written by pcache-migrate; do not edit it by hand.';

COMMENT ON COLUMN partitioncache.deployment.work_database IS 'The name of this database when it was deployed or adopted. By it, its oid and the system identifier a renamed, copied or restored database is known as such: see has_moved.';

COMMENT ON COLUMN partitioncache.deployment.fragment_role IS 'The role whose rights fragments have; NULL: those of whoever runs the processor. set_fragment_role changes it.';

COMMENT ON COLUMN partitioncache.deployment.transport IS 'How a change of the processor configuration reaches pg_cron. deploy: pcache-migrate sync applies it; direct: the sync_cron trigger calls pg_cron in this database; link: the trigger calls it over dblink.';

COMMENT ON COLUMN partitioncache.deployment.pg_cron_version IS 'Version of the extension pg_cron when the cron stream was last deployed; NULL before that, and once it is rolled back. It decides whether a schedule can be given in seconds (1.5 and later).';

COMMENT ON COLUMN partitioncache.deployment.cron_database IS 'The database of the same server in which the cron stream was last deployed; NULL before that. It is still there unless pg_cron_version is NULL.';

COMMENT ON COLUMN partitioncache.deployment.cron_database_before IS 'The database that it was in before that one; NULL if it never left one. Jobs of others may have stayed there.';

COMMENT ON COLUMN partitioncache.deployment.cron_database_next IS 'The database that a change of mode takes it to; NULL once that is finished.';

COMMENT ON COLUMN partitioncache.deployment.cron_database_left IS 'The database that a change of mode takes it from, which is what leads back; NULL once that is finished. After a change that was turned round, none of the others says so.';

COMMENT ON COLUMN partitioncache.deployment.database_oid IS 'Its oid then: a copy or a restored database has another one, a renamed one has not.';

COMMENT ON COLUMN partitioncache.deployment.system_identifier IS 'The cluster it was in then; NULL where the platform hides that.';

ALTER TABLE ONLY partitioncache.deployment
    ADD CONSTRAINT deployment_pkey PRIMARY KEY (only_row);

GRANT SELECT ON TABLE partitioncache.deployment TO cron_role;
