-- What was deployed here, and the settings that are not part of the clients' contract.
-- Both tables hold exactly one row: a deployment is one schema with one queue and one cache.

GRANT USAGE ON SCHEMA {{schema}} TO {{cron_role}}, {{client_role}};

CREATE TABLE {{schema}}.deployment (
  only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  work_database   text NOT NULL,
  client_schema   text NOT NULL,
  queue_prefix    text NOT NULL,
  table_prefix    text NOT NULL,
  cache_backend   text NOT NULL CHECK (cache_backend IN ('array', 'bit', 'roaringbit')),
  cron_schema     text NOT NULL,
  cron_role       text NOT NULL,
  client_role     text NOT NULL,
  fragment_role   text,
  transport       text NOT NULL DEFAULT 'deploy' CHECK (transport IN ('deploy', 'direct', 'link')),
  pg_cron_version text
);

COMMENT ON TABLE {{schema}}.deployment IS
  'The deployment to which this schema belongs (one row). Written by '
  'pcache-migrate; do not edit it by hand.';
COMMENT ON COLUMN {{schema}}.deployment.fragment_role IS
  'The role whose rights fragments have; NULL: those of whoever runs the processor. '
  'set_fragment_role changes it.';
COMMENT ON COLUMN {{schema}}.deployment.transport IS
  'How a change of the processor configuration reaches pg_cron. deploy: '
  'pcache-migrate sync applies it; direct: the sync_cron trigger calls pg_cron in '
  'this database; link: the trigger calls it over dblink.';
COMMENT ON COLUMN {{schema}}.deployment.pg_cron_version IS
  'Version of the extension pg_cron when the cron stream was last deployed; NULL before that. It '
  'decides whether a schedule can be given in seconds (1.5 and later).';

INSERT INTO {{schema}}.deployment
  (work_database, client_schema, queue_prefix, table_prefix,
   cache_backend, cron_schema, cron_role, client_role)
VALUES
  ({{work_database:literal}}, {{client_schema:literal}},
   {{queue_prefix:literal}}, {{table_prefix:literal}},
   {{cache_backend:literal}}, {{cron_schema:literal}},
   {{cron_role:literal}}, {{client_role:literal}});

CREATE TABLE {{schema}}.settings (
  only_row              boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  -- A batch takes about a quarter of a second: only quick fragments reach this limit.
  batch_size            integer NOT NULL DEFAULT 1000 CHECK (batch_size BETWEEN 1 AND 10000),
  max_attempts          integer NOT NULL DEFAULT 3 CHECK (max_attempts > 0),
  retry_backoff_seconds integer NOT NULL DEFAULT 300 CHECK (retry_backoff_seconds >= 0),
  log_retention_days    integer NOT NULL DEFAULT 30 CHECK (log_retention_days > 0),
  run_retention_days    integer NOT NULL DEFAULT 7 CHECK (run_retention_days > 0),
  max_slots             integer NOT NULL DEFAULT 20 CHECK (max_slots > 0)
);

COMMENT ON TABLE {{schema}}.settings IS
  'Settings of the processor beyond the clients'' configuration '
  'table (one row, read live by every run).';
COMMENT ON COLUMN {{schema}}.settings.batch_size IS
  'The most fragments that a run claims at once. It claims fewer where these would '
  'take longer than about a quarter of a second.';
COMMENT ON COLUMN {{schema}}.settings.max_attempts IS
  'After how many attempts without a result a fragment is set aside as '
  'failed. Such attempts are deadlocks, serialization failures, and deaths of '
  'the run that only this fragment can have caused.';
COMMENT ON COLUMN {{schema}}.settings.retry_backoff_seconds IS
  'For how many seconds a fragment that is queued again after a '
  'failure, a timeout or an exceeded limit waits.';
COMMENT ON COLUMN {{schema}}.settings.log_retention_days IS
  'For how many days rows of the processor log are kept.';
COMMENT ON COLUMN {{schema}}.settings.run_retention_days IS
  'For how many days pg_cron''s run history of our jobs is kept '
  '(takes effect with the next sync).';

COMMENT ON COLUMN {{schema}}.settings.max_slots IS
  'How many slots the enabled processors may have together: each takes a place in pg_cron, which '
  'other databases share.';

INSERT INTO {{schema}}.settings DEFAULT VALUES;

-- Not to clients, who have no rights on any table of this schema.
GRANT SELECT ON {{schema}}.deployment, {{schema}}.settings TO {{cron_role}};

--! routine service
CREATE OR REPLACE VIEW {{schema}}.service AS
  SELECT deployment.client_schema, deployment.queue_prefix, deployment.table_prefix,
         deployment.cache_backend, deployment.fragment_role, settings.max_attempts,
         settings.retry_backoff_seconds, settings.max_slots
  FROM {{schema}}.deployment, {{schema}}.settings;
COMMENT ON VIEW {{schema}}.service IS
  'What functions that run with the rights of a client need to know of the deployment and its '
  'settings (one row).';
GRANT SELECT ON {{schema}}.service TO {{client_role}}, {{cron_role}};
--! end

--! routine deployment_schemas
-- The functions that clients call live in the clients' schema, once for all deployments of the
-- database.
CREATE OR REPLACE FUNCTION {{schema}}.deployment_schemas() RETURNS SETOF name
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT nspname
  FROM pg_class
  JOIN pg_namespace ON pg_namespace.oid = relnamespace
  JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'queue_prefix'
  WHERE relname = 'deployment' AND relkind = 'r'
$$;
COMMENT ON FUNCTION {{schema}}.deployment_schemas IS
  'The schemas of all deployments in this database.';
REVOKE ALL ON FUNCTION {{schema}}.deployment_schemas FROM PUBLIC;
--! end

--! routine is_last_deployment
CREATE OR REPLACE FUNCTION {{schema}}.is_last_deployment() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema name;
  v_client_schema text;
BEGIN
  FOR v_schema IN
    SELECT nspname FROM {{schema}}.deployment_schemas() AS nspname
    -- Nothing that another migrator deployed is shared with us: the functions have one owner.
    WHERE has_schema_privilege(nspname, 'USAGE')
      AND has_table_privilege(format('%I.deployment', nspname), 'SELECT')
  LOOP
    EXECUTE format('SELECT client_schema FROM %I.deployment', v_schema) INTO v_client_schema;
    IF v_schema <> {{schema:literal}} AND v_client_schema = {{client_schema:literal}} THEN
      RETURN false;
    END IF;
  END LOOP;
  RETURN true;
END
$$;
COMMENT ON FUNCTION {{schema}}.is_last_deployment IS
  'Whether no other deployment of this database shares the clients'' schema, so that the shared '
  'objects may be dropped with this one.';
REVOKE ALL ON FUNCTION {{schema}}.is_last_deployment FROM PUBLIC;
--! end
