DROP FUNCTION {{schema}}.record_cron_side;
DROP FUNCTION {{schema}}.mark_synced;
DROP VIEW {{schema}}.sync_pending;
DROP TABLE {{schema}}.applied_job;
