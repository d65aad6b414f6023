CREATE FUNCTION partitioncache.cron_link_limits() RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH sessions AS (
    SELECT usesysid, datid
    FROM pg_stat_activity
    WHERE usesysid IS NOT NULL AND datid IS NOT NULL
      -- Hidden of other roles; the scheduler is known by its name.
      AND coalesce(backend_type, 'client backend') = 'client backend'
      AND application_name <> 'pg_cron scheduler'
  )
  SELECT string_agg(said, ' ' ORDER BY place)
  FROM "partitioncache".cron_link AS link
  JOIN pg_roles AS role ON role.rolname = link.role AND NOT role.rolsuper
  JOIN pg_database AS db ON db.datname = link.database
  CROSS JOIN LATERAL (VALUES
    (1, role.rolconnlimit, (SELECT count(*) FROM sessions WHERE usesysid = role.oid),
     format('CONNECTION LIMIT %s of role "%s" is reached; an administrator raises it: '
            'ALTER ROLE %I CONNECTION LIMIT -1; -- or one that fits.',
            role.rolconnlimit, role.rolname, role.rolname)),
    (2, db.datconnlimit, (SELECT count(*) FROM sessions WHERE datid = db.oid),
     format('CONNECTION LIMIT %s of database "%s" is reached; an administrator raises it: '
            'ALTER DATABASE %I CONNECTION LIMIT -1; -- or one that fits.',
            db.datconnlimit, db.datname, db.datname)),
    (3, current_setting('max_connections')::integer
          - current_setting('superuser_reserved_connections')::integer
          - coalesce(current_setting('reserved_connections', true)::integer, 0),
     (SELECT count(*) FROM sessions),
     'All connections of the server are taken: close those that are not needed, or raise '
     'max_connections.')
  ) AS bound (place, most, taken, said)
  WHERE most >= 0 AND taken >= most
$$;

COMMENT ON FUNCTION partitioncache.cron_link_limits() IS 'The limits of connections that are reached now and keep the link from connecting, each with what raises it. NULL if none is.';

REVOKE ALL ON FUNCTION partitioncache.cron_link_limits() FROM PUBLIC;
