DROP FUNCTION {{schema}}.widen_for({{schema}}.item_result[], {{schema}}.run_context);
DROP FUNCTION {{schema}}.process_chunk({{schema}}.batch_item[], integer, {{schema}}.run_context);
DROP FUNCTION {{schema}}.is_overdue({{schema}}.run_context);
DROP FUNCTION {{schema}}.judge_cancel({{schema}}.batch_item, timestamptz, text, boolean);
DROP FUNCTION {{schema}}.skipped({{schema}}.batch_item);
DROP FUNCTION {{schema}}.running_class();
DROP TYPE {{schema}}.chunk_end;
