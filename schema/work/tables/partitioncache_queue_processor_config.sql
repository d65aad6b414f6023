CREATE TABLE public.partitioncache_queue_processor_config (
    job_name text NOT NULL,
    enabled boolean DEFAULT false NOT NULL,
    max_parallel_jobs integer DEFAULT 5 NOT NULL,
    frequency_seconds integer DEFAULT 1 NOT NULL,
    timeout_seconds integer DEFAULT 1800 NOT NULL,
    stale_after_seconds integer DEFAULT 3600 NOT NULL,
    table_prefix text NOT NULL,
    queue_prefix text NOT NULL,
    cache_backend text NOT NULL,
    target_database text NOT NULL,
    result_limit integer,
    default_bitsize integer,
    job_ids bigint[] DEFAULT '{}'::bigint[],
    updated_at timestamp without time zone DEFAULT now(),
    CONSTRAINT partitioncache_queue_processor_config_default_bitsize_check CHECK ((default_bitsize > 0)),
    CONSTRAINT partitioncache_queue_processor_config_frequency_seconds_check CHECK ((frequency_seconds > 0)),
    CONSTRAINT partitioncache_queue_processor_config_max_parallel_jobs_check CHECK (((max_parallel_jobs >= 1) AND (max_parallel_jobs <= 20))),
    CONSTRAINT partitioncache_queue_processor_config_result_limit_check CHECK ((result_limit > 0)),
    CONSTRAINT partitioncache_queue_processor_config_timeout_seconds_check CHECK ((timeout_seconds > 0))
);

COMMENT ON TABLE public.partitioncache_queue_processor_config IS 'The processors of this queue. Runs read their row between batches, the watchdog reads the timeout once a second: a change takes effect within about a second.';

ALTER TABLE ONLY public.partitioncache_queue_processor_config
    ADD CONSTRAINT partitioncache_queue_processor_config_pkey PRIMARY KEY (job_name);

CREATE CONSTRAINT TRIGGER pcache_sync_cron AFTER INSERT OR DELETE OR UPDATE OF job_name, enabled, max_parallel_jobs, frequency_seconds ON public.partitioncache_queue_processor_config DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION partitioncache.sync_cron();

CREATE TRIGGER pcache_validate BEFORE INSERT OR UPDATE ON public.partitioncache_queue_processor_config FOR EACH ROW EXECUTE FUNCTION partitioncache.validate_processor_config();

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_processor_config TO client_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_processor_config TO cron_role;
