CREATE TABLE public.my_cache_queries (
    query_hash text NOT NULL,
    partition_key text NOT NULL,
    query text NOT NULL,
    status text DEFAULT 'ok'::text NOT NULL,
    last_seen timestamp without time zone DEFAULT now() NOT NULL,
    CONSTRAINT my_cache_queries_status_check CHECK ((status = ANY (ARRAY['ok'::text, 'timeout'::text, 'failed'::text, 'limit'::text])))
);

COMMENT ON TABLE public.my_cache_queries IS 'How each known fragment ended: ok (its set is in the cache), timeout, failed, or limit (more keys than result_limit).';

ALTER TABLE ONLY public.my_cache_queries
    ADD CONSTRAINT my_cache_queries_pkey PRIMARY KEY (query_hash, partition_key);

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.my_cache_queries TO cron_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.my_cache_queries TO client_role;
