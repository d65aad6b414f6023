CREATE TABLE partitioncache_work_database.recorded_object (
    kind text NOT NULL,
    identity text NOT NULL,
    parents text[] NOT NULL,
    definition text NOT NULL,
    verbatim text,
    "position" bigint NOT NULL,
    server_version_num integer NOT NULL
);

COMMENT ON TABLE partitioncache_work_database.recorded_object IS 'Each object of ours as the last release that touched it left it; its owner, its comment and each role''s privileges are rows of their own.';

COMMENT ON COLUMN partitioncache_work_database.recorded_object.parents IS 'What contains it, as kind and identity: it is gone with them.';

COMMENT ON COLUMN partitioncache_work_database.recorded_object.verbatim IS 'Of the definition, what every version of PostgreSQL prints alike; NULL: all of it.';

COMMENT ON COLUMN partitioncache_work_database.recorded_object."position" IS 'What was made later has a higher number.';

COMMENT ON COLUMN partitioncache_work_database.recorded_object.server_version_num IS 'Another major version of PostgreSQL may print the same definition differently.';

ALTER TABLE ONLY partitioncache_work_database.recorded_object
    ADD CONSTRAINT recorded_object_pkey PRIMARY KEY (kind, identity);
