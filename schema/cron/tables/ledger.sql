CREATE TABLE partitioncache_work_database.ledger (
    name text NOT NULL,
    release integer NOT NULL,
    up_checksum text NOT NULL,
    down_checksum text NOT NULL,
    up_sql text NOT NULL,
    down_sql text NOT NULL,
    drops text[] NOT NULL,
    breaks_older boolean NOT NULL,
    in_transaction boolean NOT NULL,
    package_version text NOT NULL,
    applied_by name DEFAULT SESSION_USER NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    duration interval NOT NULL
);

COMMENT ON TABLE partitioncache_work_database.ledger IS 'The migrations applied here, as they were run; names and order are those of the table migrations beside it. A rollback runs down_sql, whatever the package has by then.';

COMMENT ON COLUMN partitioncache_work_database.ledger.release IS 'The release, in the work database, that applied it.';

COMMENT ON COLUMN partitioncache_work_database.ledger.up_checksum IS 'SHA-256 of the file, in hexadecimal.';

COMMENT ON COLUMN partitioncache_work_database.ledger.down_checksum IS 'SHA-256 of the file, in hexadecimal.';

COMMENT ON COLUMN partitioncache_work_database.ledger.up_sql IS 'With every placeholder filled in: what was run.';

COMMENT ON COLUMN partitioncache_work_database.ledger.down_sql IS 'With every placeholder filled in: what a rollback runs.';

COMMENT ON COLUMN partitioncache_work_database.ledger.drops IS 'The tables of the clients'' schema that the rollback drops, rows included.';

COMMENT ON COLUMN partitioncache_work_database.ledger.breaks_older IS 'Whether packages that do not have this migration must not work on this database.';

COMMENT ON COLUMN partitioncache_work_database.ledger.in_transaction IS 'Whether its rollback runs in a transaction; not so DROP INDEX CONCURRENTLY.';

ALTER TABLE ONLY partitioncache_work_database.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (name);
