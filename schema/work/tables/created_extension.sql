CREATE TABLE partitioncache.created_extension (
    extension_name text NOT NULL
);

COMMENT ON TABLE partitioncache.created_extension IS 'Extensions that this deployment created, or that another one created which is gone by now, and that this deployment may therefore drop.';

ALTER TABLE ONLY partitioncache.created_extension
    ADD CONSTRAINT created_extension_pkey PRIMARY KEY (extension_name);
