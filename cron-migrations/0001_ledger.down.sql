DROP TABLE {{cron_schema}}.recording;
DROP TABLE {{cron_schema}}.recorded_object;
DROP TABLE {{cron_schema}}.ledger;
