DROP FUNCTION {{schema}}.clocks;
