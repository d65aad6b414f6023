-- Both read a handful of rows, but are estimated to read thousands, and from there on PostgreSQL compiles them: that took longer than
-- anything else about a change of the configuration (190 ms to 1 s, instead of 4), and about a look at queue and cache (1.4 s, instead of 13 ms).

ALTER FUNCTION {{schema}}.desired_jobs() SET jit = off;
ALTER FUNCTION {{client_schema}}.partitioncache_get_queue_and_cache_info(text, text) SET jit = off;
