DROP VIEW {{schema}}.active_items;
DROP VIEW {{schema}}.processor_status;
DROP FUNCTION {{schema}}.active_item_rows();
DROP FUNCTION {{schema}}.processor_status_rows();
