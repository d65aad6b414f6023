CREATE TABLE partitioncache.cron_link (
    host text,
    port text,
    database text,
    role text,
    password text
);

COMMENT ON TABLE partitioncache.cron_link IS 'One row, if the transport is link: where this server finds the pg_cron database, and the cron role''s password. port NULL means this server''s own.';
