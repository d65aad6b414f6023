--! drops processor_config processor_log active_jobs
DROP TABLE IF EXISTS {{active_jobs}};
DROP TABLE IF EXISTS {{processor_log}};
DROP TABLE IF EXISTS {{processor_config}};
