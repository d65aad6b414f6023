DROP FUNCTION {{schema}}.delete_cached_duplicates;
DROP FUNCTION {{schema}}.delete_cached_of;
DROP FUNCTION {{schema}}.delete_idle_attempts;
DROP FUNCTION {{schema}}.delete_old_log;
DROP FUNCTION {{schema}}.log_cutoff;
