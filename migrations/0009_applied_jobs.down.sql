DROP FUNCTION {{schema}}.record_cron_side(text, text);
DROP FUNCTION {{schema}}.mark_synced(jsonb);
DROP VIEW {{schema}}.sync_pending;
DROP TABLE {{schema}}.applied_job;
