CREATE OR REPLACE VIEW {{schema}}.last_release AS
  SELECT release.number, release.package_version, release.label, release.started_at,
         release.finished_at, release.outcome
  FROM {{schema}}.release
  WHERE release.undone_at IS NULL
  ORDER BY release.number DESC
  LIMIT 1;
COMMENT ON VIEW {{schema}}.last_release IS
  'The last release that was not undone; no row: there is none. For a view over all deployments by '
  'the role that they share, so without where it came from (role, host and program). The table is '
  'closed to everybody: what is in it is run.';
GRANT SELECT ON {{schema}}.last_release TO {{cron_role}};
