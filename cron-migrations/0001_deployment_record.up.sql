-- Everything of one work database's deployment in the pg_cron database is in this schema, owned by the cron
-- role: many work databases share one pg_cron, at different versions.

CREATE TABLE {{cron_schema}}.deployment (
  only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  work_database text NOT NULL,
  work_schema   text NOT NULL
);
COMMENT ON TABLE {{cron_schema}}.deployment IS
  'The work database and the schema in it that this schema schedules for (one row).';

INSERT INTO {{cron_schema}}.deployment (work_database, work_schema)
VALUES ({{work_database:literal}}, {{schema:literal}});

-- The migrator calls apply_jobs from the sync_cron trigger where pg_cron lives in the work database itself.
GRANT USAGE ON SCHEMA {{cron_schema}} TO {{migrator_role}};
GRANT SELECT ON {{cron_schema}}.deployment TO {{migrator_role}};
