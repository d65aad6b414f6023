DROP VIEW {{schema}}.queue_depth;
DROP FUNCTION {{schema}}.queue_depth_rows;
