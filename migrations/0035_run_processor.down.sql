DROP PROCEDURE {{schema}}.run_processor(text, integer);
DROP FUNCTION {{schema}}.next_step(text, integer, integer, timestamptz, {{schema}}.run_step);
DROP FUNCTION {{schema}}.batch_limit({{schema}}.run_step, timestamptz);
DROP TYPE {{schema}}.run_step;
