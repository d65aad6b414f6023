CREATE TABLE public.partitioncache_queue_query_fragment_queue (
    id integer NOT NULL,
    query text NOT NULL,
    hash text NOT NULL,
    partition_key text NOT NULL,
    partition_datatype text,
    priority integer DEFAULT 1 NOT NULL,
    created_at timestamp without time zone DEFAULT now(),
    updated_at timestamp without time zone DEFAULT now()
);

COMMENT ON TABLE public.partitioncache_queue_query_fragment_queue IS 'Query fragments that wait for the processor. Each becomes a set of partition keys in the cache.';

CREATE SEQUENCE public.partitioncache_queue_query_fragment_queue_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.partitioncache_queue_query_fragment_queue_id_seq OWNED BY public.partitioncache_queue_query_fragment_queue.id;

ALTER TABLE ONLY public.partitioncache_queue_query_fragment_queue ALTER COLUMN id SET DEFAULT nextval('public.partitioncache_queue_query_fragment_queue_id_seq'::regclass);

ALTER TABLE ONLY public.partitioncache_queue_query_fragment_queue
    ADD CONSTRAINT partitioncache_queue_query_fragment_queu_hash_partition_key_key UNIQUE (hash, partition_key);

ALTER TABLE ONLY public.partitioncache_queue_query_fragment_queue
    ADD CONSTRAINT partitioncache_queue_query_fragment_queue_pkey PRIMARY KEY (id);

CREATE INDEX partitioncache_queue_query_fragme_priority_partition_key_id_idx ON public.partitioncache_queue_query_fragment_queue USING btree (priority, partition_key, id);

CREATE INDEX partitioncache_queue_query_fragment_queue_priority_id_idx ON public.partitioncache_queue_query_fragment_queue USING btree (priority DESC, id);

CREATE TRIGGER pcache_notify AFTER INSERT OR UPDATE ON public.partitioncache_queue_query_fragment_queue FOR EACH STATEMENT EXECUTE FUNCTION partitioncache.notify_queue('query_fragment_available');

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_query_fragment_queue TO cron_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_query_fragment_queue TO client_role;

GRANT SELECT,USAGE ON SEQUENCE public.partitioncache_queue_query_fragment_queue_id_seq TO cron_role;
GRANT SELECT,USAGE ON SEQUENCE public.partitioncache_queue_query_fragment_queue_id_seq TO client_role;
