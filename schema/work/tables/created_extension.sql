CREATE TABLE partitioncache.created_extension (
    extension_name text NOT NULL
);

COMMENT ON TABLE partitioncache.created_extension IS 'Extensions this deployment created, or another one that is gone by now, and so may drop again.';

ALTER TABLE ONLY partitioncache.created_extension
    ADD CONSTRAINT created_extension_pkey PRIMARY KEY (extension_name);
