CREATE VIEW partitioncache.last_release AS
 SELECT number,
    package_version,
    label,
    started_at,
    finished_at,
    outcome
   FROM partitioncache.release
  WHERE (undone_at IS NULL)
  ORDER BY number DESC
 LIMIT 1;

COMMENT ON VIEW partitioncache.last_release IS 'The last release that was not undone; no row: there is none. For a view over all deployments by the role that they share, so without where it came from (role, host and program). The table is closed to everybody: what is in it is run.';

GRANT SELECT ON TABLE partitioncache.last_release TO cron_role;
