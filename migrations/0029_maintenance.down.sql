DROP PROCEDURE {{schema}}.run_maintenance;
DROP FUNCTION {{schema}}.close_maintenance;
DROP FUNCTION {{schema}}.open_maintenance;
DROP FUNCTION {{schema}}.maintenance_step;
DROP FUNCTION {{schema}}.maintenance_goes_on;
DROP FUNCTION {{schema}}.clean_up_at_rest;
DROP FUNCTION {{schema}}.maintenance_is_needed;
