DROP FUNCTION {{schema}}.finish({{schema}}.item_result[], {{schema}}.run_context);
DROP FUNCTION {{schema}}.confirm_skip({{schema}}.item_result);
DROP FUNCTION {{schema}}.settle_each({{schema}}.item_result[], {{schema}}.run_context);
DROP FUNCTION {{schema}}.settle_one({{schema}}.item_result, {{schema}}.run_context, text);
DROP FUNCTION {{schema}}.store_and_settle({{schema}}.item_result[], {{schema}}.run_context, text);
DROP FUNCTION {{schema}}.put_back({{schema}}.item_result, interval, integer);
DROP FUNCTION {{schema}}.settle_results({{schema}}.item_result[], {{schema}}.run_context);
DROP FUNCTION {{schema}}.delete_locked({{schema}}.item_result[]);
