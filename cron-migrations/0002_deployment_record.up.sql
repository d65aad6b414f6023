-- Everything that one work database's deployment has in the pg_cron database is in this schema,
-- which the cron role owns: many work databases share one pg_cron, at different versions.

CREATE TABLE {{cron_schema}}.deployment (
  only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  work_database text NOT NULL,
  work_schema   text NOT NULL,
  work_database_oid oid NOT NULL
);
COMMENT ON TABLE {{cron_schema}}.deployment IS
  'The work database, and the schema in it, for which this schema schedules jobs (one row).';

COMMENT ON COLUMN {{cron_schema}}.deployment.work_database_oid IS
  'Tells whether that database was dropped or only renamed.';

INSERT INTO {{cron_schema}}.deployment (work_database, work_schema, work_database_oid)
SELECT datname, {{schema:literal}}, oid
FROM pg_catalog.pg_database WHERE datname = {{work_database:literal}};

-- Where pg_cron lives in the work database itself, the sync_cron
-- trigger calls apply_jobs as the migrator.
GRANT USAGE ON SCHEMA {{cron_schema}} TO {{migrator_role}};
GRANT SELECT ON {{cron_schema}}.deployment TO {{migrator_role}};
