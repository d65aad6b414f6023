DROP FUNCTION {{schema}}.widen_for;
DROP FUNCTION {{schema}}.process_chunk;
DROP FUNCTION {{schema}}.show_work;
DROP FUNCTION {{schema}}.is_overdue;
DROP FUNCTION {{schema}}.judge_cancel;
DROP FUNCTION {{schema}}.skipped;
DROP TYPE {{schema}}.chunk_end;
