DROP TRIGGER IF EXISTS pcache_sync_cron ON {{processor_config}};
DROP TRIGGER IF EXISTS pcache_validate ON {{processor_config}};
DROP FUNCTION {{schema}}.sync_cron;
DROP FUNCTION {{schema}}.validate_processor_config;
DROP FUNCTION {{schema}}.check_slots;
