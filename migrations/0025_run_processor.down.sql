DROP PROCEDURE {{schema}}.run_processor;
DROP FUNCTION {{schema}}.next_step;
DROP FUNCTION {{schema}}.idle_step;
DROP FUNCTION {{schema}}.batch_limit;
DROP TYPE {{schema}}.run_step;
