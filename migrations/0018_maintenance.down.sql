DROP PROCEDURE {{schema}}.run_maintenance();
DROP FUNCTION {{schema}}.maintenance_goes_on(timestamptz);
DROP FUNCTION {{schema}}.delete_old_log();
DROP FUNCTION {{schema}}.cancel_overdue();
