DROP VIEW {{schema}}.active_items;
DROP VIEW {{schema}}.processor_status;
