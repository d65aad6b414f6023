-- What was deployed here, and how to take it back. Written by pcache-migrate alone: nobody but the
-- cron role has any right on this table. The releases are in the work database.

CREATE TABLE {{cron_schema}}.ledger (
  name             text PRIMARY KEY,
  release          integer NOT NULL,
  up_checksum      text NOT NULL,
  down_checksum    text NOT NULL,
  up_sql           text NOT NULL,
  down_sql         text NOT NULL,
  drops            text[] NOT NULL,
  breaks_older     boolean NOT NULL,
  in_transaction   boolean NOT NULL,
  package_version  text NOT NULL,
  applied_by       name NOT NULL DEFAULT session_user,
  applied_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  duration         interval NOT NULL
);

COMMENT ON TABLE {{cron_schema}}.ledger IS
  'The migrations applied here, as they were run; names and order are those of the table '
  'migrations beside it. A rollback runs down_sql, whatever the package has by then.';
COMMENT ON COLUMN {{cron_schema}}.ledger.release IS
  'The release, in the work database, that applied it.';
COMMENT ON COLUMN {{cron_schema}}.ledger.up_checksum IS 'SHA-256 of the file, in hexadecimal.';
COMMENT ON COLUMN {{cron_schema}}.ledger.down_checksum IS 'SHA-256 of the file, in hexadecimal.';
COMMENT ON COLUMN {{cron_schema}}.ledger.up_sql IS
  'With every placeholder filled in: what was run.';
COMMENT ON COLUMN {{cron_schema}}.ledger.down_sql IS
  'With every placeholder filled in: what a rollback runs.';
COMMENT ON COLUMN {{cron_schema}}.ledger.drops IS
  'The tables of the clients'' schema that the rollback drops, rows included.';
COMMENT ON COLUMN {{cron_schema}}.ledger.breaks_older IS
  'Whether packages that do not have this migration must not work on this database.';
COMMENT ON COLUMN {{cron_schema}}.ledger.in_transaction IS
  'Whether its rollback runs in a transaction; not so DROP INDEX CONCURRENTLY.';

-- The definitions of everything of ours as the releases left it: pcache-migrate verify compares
-- them with what is there, and --fix runs them.
CREATE TABLE {{cron_schema}}.recorded_object (
  kind               text NOT NULL,
  identity           text NOT NULL,
  parents            text[] NOT NULL,
  definition         text NOT NULL,
  verbatim           text,
  position           bigint NOT NULL,
  server_version_num integer NOT NULL,
  PRIMARY KEY (kind, identity)
);

COMMENT ON TABLE {{cron_schema}}.recorded_object IS
  'Each object of ours as the last release that touched it left it; its owner, its comment and '
  'each role''s privileges are rows of their own.';
COMMENT ON COLUMN {{cron_schema}}.recorded_object.parents IS
  'What contains it, as kind and identity: it is gone with them.';
COMMENT ON COLUMN {{cron_schema}}.recorded_object.verbatim IS
  'Of the definition, what every version of PostgreSQL prints alike; NULL: all of it.';
COMMENT ON COLUMN {{cron_schema}}.recorded_object.position IS
  'What was made later has a higher number.';
COMMENT ON COLUMN {{cron_schema}}.recorded_object.server_version_num IS
  'Another major version of PostgreSQL may print the same definition differently.';

CREATE TABLE {{cron_schema}}.recording (
  only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  release     integer NOT NULL,
  format      integer NOT NULL,
  digest      text NOT NULL,
  recorded_at timestamptz NOT NULL
);

COMMENT ON TABLE {{cron_schema}}.recording IS
  'Which release recorded its objects last, and how (one row).';
COMMENT ON COLUMN {{cron_schema}}.recording.format IS
  'Changes when pcache-migrate reads the same definitions in another way.';
COMMENT ON COLUMN {{cron_schema}}.recording.digest IS
  'SHA-256 over the rows of recorded_object.';

-- What these tables hold is run, so nobody else may write it: nor a table migrations that was
-- here before.
DO $only_ours$
DECLARE
  v_relation record;
  v_grantee name;
BEGIN
  FOR v_relation IN
    SELECT nspname, relname, relacl, relowner
    FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = {{cron_schema:literal}} AND relkind = 'r'
      AND pg_catalog.pg_has_role(relowner, 'USAGE')
  LOOP
    EXECUTE pg_catalog.format(
      'REVOKE ALL ON %I.%I FROM PUBLIC', v_relation.nspname, v_relation.relname);
    FOR v_grantee IN
      SELECT DISTINCT pg_catalog.pg_get_userbyid(item.grantee)
      FROM pg_catalog.aclexplode(v_relation.relacl) AS item
      WHERE item.grantee NOT IN (0, v_relation.relowner)
    LOOP
      EXECUTE pg_catalog.format(
        'REVOKE ALL ON %I.%I FROM %I CASCADE', v_relation.nspname, v_relation.relname, v_grantee);
    END LOOP;
  END LOOP;
END
$only_ours$;
