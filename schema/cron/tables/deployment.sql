CREATE TABLE partitioncache_work_database.deployment (
    only_row boolean DEFAULT true NOT NULL,
    work_database text NOT NULL,
    work_schema text NOT NULL,
    work_database_oid oid NOT NULL,
    CONSTRAINT deployment_only_row_check CHECK (only_row)
);

COMMENT ON TABLE partitioncache_work_database.deployment IS 'The work database, and the schema in it, for which this schema schedules jobs (one row).';

COMMENT ON COLUMN partitioncache_work_database.deployment.work_database_oid IS 'Tells whether that database was dropped or only renamed.';

ALTER TABLE ONLY partitioncache_work_database.deployment
    ADD CONSTRAINT deployment_pkey PRIMARY KEY (only_row);

GRANT SELECT ON TABLE partitioncache_work_database.deployment TO migrator;
