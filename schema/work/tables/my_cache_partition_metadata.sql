CREATE TABLE public.my_cache_partition_metadata (
    partition_key text NOT NULL,
    datatype text NOT NULL,
    created_at timestamp without time zone DEFAULT now(),
    CONSTRAINT my_cache_partition_metadata_datatype_check CHECK ((datatype = ANY (ARRAY['integer'::text, 'float'::text, 'text'::text, 'timestamp'::text])))
);

COMMENT ON TABLE public.my_cache_partition_metadata IS 'The partition keys that have a cache table, and the datatype of their keys.';

ALTER TABLE ONLY public.my_cache_partition_metadata
    ADD CONSTRAINT my_cache_partition_metadata_pkey PRIMARY KEY (partition_key);

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.my_cache_partition_metadata TO cron_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.my_cache_partition_metadata TO client_role;
