DROP FUNCTION {{schema}}.finish({{schema}}.item_result[], {{schema}}.run_context);
DROP FUNCTION {{schema}}.settle_one({{schema}}.item_result, {{schema}}.run_context);
DROP FUNCTION {{schema}}.store_and_settle({{schema}}.item_result[], {{schema}}.run_context);
DROP FUNCTION {{schema}}.put_back({{schema}}.item_result, interval, integer);
DROP FUNCTION {{schema}}.settle_results({{schema}}.item_result[], {{schema}}.run_context);
