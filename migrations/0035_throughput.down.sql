DROP VIEW {{schema}}.throughput;
DROP FUNCTION {{schema}}.throughput_rows;
