DROP VIEW {{schema}}.processor_status;
DROP FUNCTION {{schema}}.processor_status_rows;
DROP VIEW {{schema}}.active_items;
DROP FUNCTION {{schema}}.active_item_rows;
DROP FUNCTION {{schema}}.working_runs;
DROP FUNCTION {{schema}}.running_class;
DROP FUNCTION {{schema}}.run_is_alive;
