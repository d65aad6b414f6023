DROP FUNCTION {{schema}}.has_runs;
DROP FUNCTION {{schema}}.publish_running;
DROP FUNCTION {{schema}}.share_waiting;
DROP FUNCTION {{schema}}.release_results;
DROP FUNCTION {{schema}}.cancel_overdue;
DROP FUNCTION {{schema}}.terminate_deaf;
DROP FUNCTION {{schema}}.is_deaf;
DROP FUNCTION {{schema}}.hold_run;
