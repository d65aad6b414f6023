DROP TABLE IF EXISTS {{active_jobs}};
DROP TABLE IF EXISTS {{processor_log}};
DROP TABLE IF EXISTS {{processor_config}};
