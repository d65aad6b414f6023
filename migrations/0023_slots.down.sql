DROP VIEW {{schema}}.runs_1;
DROP FUNCTION {{schema}}.close_slot;
DROP FUNCTION {{schema}}.open_manual_slot;
DROP FUNCTION {{schema}}.open_slot;
DROP FUNCTION {{schema}}.name_session;
