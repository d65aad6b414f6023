DROP VIEW {{schema}}.processor_status;
DROP VIEW {{schema}}.active_items;
DROP FUNCTION {{schema}}.processor_status_rows();
DROP FUNCTION {{schema}}.active_item_rows();
DROP FUNCTION {{schema}}.working_runs();
